//! Articles and people that do not exist.

use super::Random;

pub(super) struct Article {
    pub(super) sku: String,
    pub(super) name: String,
    /// Minor units.
    pub(super) price: i64,
}

const COLOURS: [&str; 12] = [
    "White", "Black", "Red", "Blue", "Green", "Ivory", "Pink", "Silver", "Retro", "Natural", "Amber", "Slate",
];
const STYLES: [&str; 10] =
    ["Vintage", "Classic", "Mini", "Large", "Folding", "Enamel", "Wooden", "Knitted", "Ceramic", "Travel"];
const THINGS: [&str; 16] = [
    "Lantern",
    "Teapot",
    "Hook",
    "Cushion",
    "Mug",
    "Notebook",
    "Lunch Box",
    "Doormat",
    "Clock",
    "Apron",
    "Umbrella",
    "Candle",
    "Picture Frame",
    "Water Bottle",
    "Jigsaw",
    "Cake Stand",
];
const FIRST_NAMES: [&str; 12] =
    ["Jane", "Omar", "Mila", "Chen", "Lucía", "Anders", "Priya", "Tomasz", "Zoë", "Kwame", "Noor", "Émile"];
const LAST_NAMES: [&str; 12] = [
    "Doe",
    "Haddad",
    "Kovač",
    "Wei",
    "Fernández",
    "Berg",
    "Sharma",
    "Nowak",
    "Müller",
    "Mensah",
    "O'Brien",
    "Laurent",
];

/// So many articles, each with its SKU, name and price. Every ninth name has a comma or quotes, as real ones do.
pub(super) fn catalogue(articles: u32, seed: u64) -> Vec<Article> {
    let mut random = Random(seed ^ 0xCA7A_1065);
    (0..articles as usize)
        .map(|number| {
            let colour = COLOURS[number % COLOURS.len()];
            let style = STYLES[number / COLOURS.len() % STYLES.len()];
            let thing = THINGS[random.below(THINGS.len() as u64) as usize];
            let name = match number % 9 {
                4 => format!("\"{style} {thing}, {colour}\""),
                8 => format!("\"{style} {thing} 7\"\" {colour}\""),
                _ => format!("{style} {thing} {colour}"),
            };
            let price = 85 + random.skewed(4_900) as i64;
            Article { sku: format!("SKU-{:05}", 20_000 + number), name, price }
        })
        .collect()
}

/// The name of a customer, always the same.
pub(super) fn person(customer: u64) -> String {
    let first = FIRST_NAMES[customer as usize % FIRST_NAMES.len()];
    let last = LAST_NAMES[customer as usize / FIRST_NAMES.len() % LAST_NAMES.len()];
    format!("{first} {last}")
}
