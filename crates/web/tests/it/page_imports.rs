//! Importing files in a browser: sent, shown, tried, imported, watched, corrected.

use std::time::Duration;

use domain::Role;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response, StatusCode};

use crate::support::{Browser, Shop, free_port, reliable};

/// The quantity has a name that nobody knows, and one row is bad.
const FILE: &str = "order_id,order_date,customer_email,sku,how many,unit_price,currency\n\
                    A-1,2029-12-01,ann@example.org,MUG,2,12.50,EUR\n\
                    A-2,2029-12-01,bob@example.org,MUG,none,12.50,EUR\n\
                    A-2,2029-12-01,bob@example.org,CUP,1,3.00,EUR\n\
                    A-3,2029-12-01,bob@example.org,CUP,1,3.00,EUR\n";

async fn open() -> (Shop, Browser) {
    let shop = Shop::open(reliable()).await;
    let browser = shop.signed_in(Role::Operator).await;
    (shop, browser)
}

fn file(bytes: impl Into<Vec<u8>>, name: &str) -> Part {
    Part::bytes(bytes.into()).file_name(name.to_owned())
}

async fn send(browser: &Browser, path: &str, form: Form) -> Response {
    browser.request(Method::POST, path).multipart(form).send().await.unwrap()
}

/// Sends a file as the form of the page does; answers the page where it waits.
async fn draft(browser: &Browser, path: &str, bytes: impl Into<Vec<u8>>) -> String {
    let form =
        Form::new().text("csrf_token", browser.csrf().to_owned()).part("file", file(bytes, "orders.csv"));
    let answer = send(browser, path, form).await;
    let status = answer.status();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    assert_eq!(status, StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
    to.unwrap()
}

async fn text(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

/// The fields of a page's last form, as they stand.
fn fields(page: &str) -> Vec<(String, String)> {
    let (_, form) = page.rsplit_once("<form").unwrap();
    let form = form.split("</form>").next().unwrap();
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split('"').next().unwrap_or_default().replace("&#34;", "\"").replace("&#38;", "&"))
    };
    let mut fields = Vec::new();
    for part in form.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        if (tag.starts_with("input") && !tag.contains("checkbox")) || tag.starts_with("select") {
            fields.push((attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap_or_default()));
        } else if tag.starts_with("option") && (tag.ends_with(" selected") || is_first(&fields, form, part)) {
            fields.last_mut().unwrap().1 = attribute(tag, "value").unwrap();
        }
    }
    fields
}

/// Whether an option is the first one of the field that was read last: what a browser chooses.
fn is_first(fields: &[(String, String)], form: &str, option: &str) -> bool {
    let (_, select) = form.split_once(&format!("<select id=\"{}\"", fields.last().unwrap().0)).unwrap();
    select.split('<').nth(1) == Some(option)
}

/// Sends the form of a draft as it stands, with some fields filled in otherwise.
async fn decide(browser: &Browser, path: &str, page: &str, changes: &[(&str, &str)]) -> Response {
    let mut fields = fields(page);
    for (name, value) in changes {
        fields.retain(|(one, _)| one != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.form(path, &fields).send().await.unwrap()
}

/// Imports a file whose form is filled in like this; answers the address of the import.
async fn import(browser: &Browser, path: &str, changes: &[(&str, &str)]) -> String {
    let page = text(browser, path).await;
    let answer = decide(browser, path, &page, &[changes, &[("deed", "import")]].concat()).await;
    let status = answer.status();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    assert_eq!(status, StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
    to.unwrap()
}

fn tile<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("<dt>{name}</dt><dd class=\"value\">"))
        .unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split_once('<').unwrap().0
}

#[tokio::test]
async fn a_file_is_sent_mapped_tried_imported_and_its_rejects_corrected() {
    let (shop, browser) = open().await;
    let empty = text(&browser, "/imports").await;
    assert!(empty.contains("Nothing was imported yet") && empty.contains("type=\"file\""), "{empty}");

    let at = draft(&browser, "/imports/new", FILE).await;
    let page = text(&browser, &at).await;
    assert!(
        page.contains("no column for qty") && page.contains("comma ,") && page.contains("UTF-8"),
        "{page}"
    );
    assert!(
        page.contains("<option value=\"order_date\" selected>")
            && page.contains("<span class=\"sample\">12.50</span>")
    );
    assert!(!page.contains("--map"), "a page has no flags: {page}");

    let mapped = decide(&browser, &at, &page, &[("column.qty", "how many")]).await;
    assert_eq!(mapped.status(), StatusCode::OK);
    let mapped = mapped.text().await.unwrap();
    assert!(
        !mapped.contains("role=\"alert\"") && mapped.contains("<span class=\"sample\">none</span>"),
        "{mapped}"
    );
    let wanted = [("source", "shop"), ("initial_stock", "1"), ("notify", "false"), ("deed", "try")];
    let tried = decide(&browser, &at, &mapped, &wanted).await.text().await.unwrap();
    assert_eq!(
        (tile(&tried, "Orders to be imported"), tile(&tried, "Orders rejected")),
        ("2", "1"),
        "{tried}"
    );
    assert_eq!((tile(&tried, "Orders short of stock"), tile(&tried, "Products made")), ("1", "2"));
    assert!(
        tried.contains("invalid quantity")
            && tried.contains("A-2,2029-12-01")
            && tried.contains("order rejected")
    );
    for code in ["invalid quantity", "order rejected"] {
        assert!(tried.contains(&format!("{code}</span></td><td class=\"number\">1</td>")), "{code}: {tried}");
    }
    assert!(
        tried.contains("<tr><td>MUG</td><td class=\"number\">2</td><td class=\"number\">1</td></tr>"),
        "{tried}"
    );
    assert!(text(&browser, "/imports").await.contains("Nothing was imported yet"), "nothing is written");

    let answer = decide(&browser, &at, &tried, &[("initial_stock", "5"), ("deed", "import")]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "what was filled in is there still");
    let address = answer.headers()["location"].to_str().unwrap().to_owned();
    let waiting = text(&browser, &address).await;
    assert!(waiting.contains("planning") && waiting.contains("hx-trigger=\"sse:imports\""), "{waiting}");
    assert_eq!(browser.get(&at).await.status(), StatusCode::NOT_FOUND, "it is an import now");
    shop.work().await;

    let done = text(&browser, &address).await;
    assert_eq!((tile(&done, "Orders imported"), tile(&done, "Orders rejected")), ("2", "1"), "{done}");
    assert!(done.contains("completed") && done.contains("<strong class=\"number\">100 %</strong>"));
    assert!(done.contains("“how many” is qty") && !done.contains("sse:imports"), "{done}");
    assert!(done.contains("<td class=\"number\">3</td>") && done.contains("A-2,2029-12-01"), "{done}");
    let id = address.rsplit_once('/').unwrap().1;
    assert!(done.contains(&format!("href=\"/orders?import={id}\"")));
    let rejects = browser.get(&format!("/api/imports/{id}/rejects.csv")).await.text().await.unwrap();
    assert_eq!(rejects.lines().count(), 3, "{rejects}");
    assert!(text(&browser, "/").await.contains(&format!("<a href=\"/imports/{id}\">orders.csv</a>")));

    assert!(done.contains(&format!("action=\"/imports/new?corrects={id}\"")));
    let at = draft(&browser, &format!("/imports/new?corrects={id}"), rejects.replace(",none,", ",4,")).await;
    let page = text(&browser, &at).await;
    assert!(
        !page.contains("role=\"alert\"") && page.contains("value=\"shop\""),
        "it is read like the first: {page}"
    );
    let corrected = import(&browser, &at, &[]).await;
    shop.work().await;
    let done = text(&browser, &corrected).await;
    assert_eq!((tile(&done, "Orders imported"), tile(&done, "Orders rejected")), ("1", "0"), "{done}");
    assert!(done.contains(&format!("It corrects rows that <a href=\"{address}\">")), "{done}");
    assert_eq!(shop.spooled(), 0);
}

#[tokio::test]
async fn a_column_can_mean_nothing_and_only_one_thing() {
    let (shop, browser) = open().await;
    let file = FILE
        .replace("how many", "qty")
        .replace("none", "1")
        .replace(",currency\n", ",currency,tax\n")
        .replace("EUR\n", "EUR,x\n");
    let at = draft(&browser, "/imports/new", file).await;
    let page = text(&browser, &at).await;
    let twice = decide(&browser, &at, &page, &[("column.notes", "sku"), ("deed", "import")]).await;
    assert_eq!(twice.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let twice = twice.text().await.unwrap();
    assert!(twice.contains("“sku” is chosen for product sku and for notes"), "{twice}");
    let import = import(&browser, &at, &[("column.tax", "")]).await;
    shop.work().await;
    let done = text(&browser, &import).await;
    assert_eq!((tile(&done, "Orders imported"), tile(&done, "Orders rejected")), ("3", "0"), "{done}");
    assert!(done.contains("<dt>ignored columns</dt><dd>“tax”</dd>"), "{done}");
}

#[tokio::test]
async fn what_is_wrong_is_told_where_it_was_filled_in() {
    let (shop, browser) = open().await;
    let at = draft(&browser, "/imports/new", FILE).await;
    let page = text(&browser, &at).await;
    let filled = [("source", "my-shop"), ("max_rejects", "7"), ("deed", "import")];
    for (more, told) in [
        (&[][..], "no column for qty"),
        (&[("column.qty", "how many"), ("initial_stock", "many")][..], "initial stock: "),
        (&[("column.qty", "how many"), ("chunk_size", "0")][..], "the chunk size must be from 1"),
        (&[("column.qty", "how many"), ("returns", "refund")][..], "only in historical imports"),
        (&[("column.qty", "how many"), ("source", "no\tsource/")][..], "source: "),
        (&[("column.qty", "how many"), ("colour", "red")][..], "unknown field"),
    ] {
        let answer = decide(&browser, &at, &page, &[&filled[..], more].concat()).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        let again = answer.text().await.unwrap();
        assert!(again.contains("role=\"alert\"") && again.contains(told), "{told}: {again}");
        assert!(again.contains("name=\"max_rejects\" type=\"number\" min=\"0\" value=\"7\""), "{again}");
        assert_eq!(
            again.contains("<option value=\"how many\" selected>"),
            !more.is_empty(),
            "{told}: {again}"
        );
    }
    assert_eq!(shop.spooled(), 2, "the file waits still, and what is told of it");
}

#[tokio::test]
async fn what_is_no_file_of_orders_is_refused_where_it_was_sent() {
    let shop = Shop::open_with(free_port().await, |config| config.imports.max_file_bytes = 2_000).await;
    let browser = shop.signed_in(Role::Operator).await;
    for (bytes, status, told) in [
        (b"%PDF-1.7".to_vec(), 422, "a PDF document"),
        (b"<html><body>Sign in</body></html>".to_vec(), 422, "an HTML page"),
        (Vec::new(), 422, "the file is empty"),
        (vec![1; 500], 422, "not a text file"),
        (vec![b'a'; 3_000], 413, "max_file_bytes"),
    ] {
        let form =
            Form::new().text("csrf_token", browser.csrf().to_owned()).part("file", file(bytes, "x.csv"));
        let answer = send(&browser, "/imports/new", form).await;
        assert_eq!(answer.status(), status, "{told}");
        let page = answer.text().await.unwrap();
        assert!(
            page.contains("role=\"alert\"") && page.contains(told) && page.contains("type=\"file\""),
            "{page}"
        );
        assert_eq!(shop.spooled(), 0, "{told}");
    }
}

#[tokio::test]
async fn a_form_that_shows_no_token_before_its_file_leaves_nothing() {
    let (shop, browser) = open().await;
    let token = browser.csrf().to_owned();
    let other = shop.signed_in(Role::Operator).await.csrf().to_owned();
    let file = || file(FILE, "orders.csv");
    let forms = [
        (Form::new().part("file", file()), 403),
        (Form::new().part("file", file()).text("csrf_token", token.clone()), 403),
        (Form::new().text("csrf_token", "wrong").part("file", file()), 403),
        (Form::new().text("csrf_token", other).part("file", file()), 403),
        (Form::new().text("colour", "red").text("csrf_token", token.clone()).part("file", file()), 403),
        (Form::new().text("csrf_token", "x".repeat(3_000_000)).part("file", file()), 413),
        (Form::new(), 400),
    ];
    for (index, (form, status)) in forms.into_iter().enumerate() {
        assert_eq!(send(&browser, "/imports/new", form).await.status(), status, "form {index}");
        assert_eq!(shop.spooled(), 0, "form {index}");
    }
    let with_token = || Form::new().text("csrf_token", token.clone());
    for form in [
        with_token(),
        with_token().part("file", file()).part("file", file()),
        with_token().text("colour", "red"),
    ] {
        assert_eq!(send(&browser, "/imports/new", form).await.status(), 422);
        assert_eq!(shop.spooled(), 0);
    }
    let by_header = browser.request(Method::POST, "/imports/new").header("x-csrf-token", &token);
    let taken = by_header.multipart(Form::new().part("file", file())).send().await.unwrap();
    assert_eq!(taken.status(), 303);
    let endless = format!("--x\r\ncontent-disposition: form-data; name=\"{}", "a".repeat(3 * 1024 * 1024));
    let request = browser.request(Method::POST, "/imports/new").body(endless);
    let endless = request.header("content-type", "multipart/form-data; boundary=x").send().await.unwrap();
    assert_eq!(endless.status(), 400);
}

#[tokio::test]
async fn a_draft_is_its_senders_alone_and_outlives_the_server() {
    let (shop, browser) = open().await;
    let at = draft(&browser, "/imports/new", FILE).await;
    let other = shop.signed_in(Role::Admin).await;
    let answer = other.get(&at).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("not kept here") && !page.contains("how many") && page.contains("type=\"file\""),
        "{page}"
    );
    let form = other.form(&at, &[("csrf_token", other.csrf()), ("deed", "import")]);
    assert_eq!(form.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&format!("{at}x")).await.status(), StatusCode::NOT_FOUND);
    let second = shop.second().await;
    let there = second.browser().request(Method::GET, &at);
    let there = there.header("cookie", browser.cookie.as_deref().unwrap()).send().await.unwrap();
    assert_eq!(there.status(), StatusCode::OK, "another server over the same folder has it too");
    for entry in std::fs::read_dir(shop.spool()).unwrap() {
        let path = entry.unwrap().path();
        let old = path.metadata().unwrap().modified().unwrap() - Duration::from_hours(25);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
    }
    // The servers look for what was left behind too, when they start: one of them may have been faster.
    app::imports::remove_left_behind(&shop.app).await.unwrap();
    assert_eq!(shop.spooled(), 0);
    assert_eq!(browser.get(&at).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn viewers_watch_and_begin_nothing() {
    let (shop, browser) = open().await;
    let at = draft(&browser, "/imports/new", FILE.replace("how many", "qty")).await;
    let import = import(&browser, &at, &[]).await;
    shop.work().await;
    let viewer = shop.signed_in(Role::Viewer).await;
    let form = Form::new().text("csrf_token", viewer.csrf().to_owned()).part("file", file(FILE, "x.csv"));
    assert_eq!(send(&viewer, "/imports/new", form).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(viewer.get("/imports/new").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(shop.spooled(), 0);
    for path in ["/imports", &import] {
        let page = text(&viewer, path).await;
        assert!(
            page.contains("orders.csv") && !page.contains("type=\"file\"") && !page.contains("/imports/new"),
            "{page}"
        );
    }
    for deed in ["pause", "continue", "cancel"] {
        let form = viewer.form(&format!("{import}/{deed}"), &[("csrf_token", viewer.csrf())]);
        assert_eq!(form.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{deed}");
    }
}

#[tokio::test]
async fn an_import_is_paused_continued_and_cancelled_from_its_page() {
    let (shop, browser) = open().await;
    let at = draft(&browser, "/imports/new", FILE.replace("how many", "qty")).await;
    let import = import(&browser, &at, &[]).await;
    let deed = async |deed: &str| {
        let form = browser.form(&format!("{import}/{deed}"), &[("csrf_token", browser.csrf())]);
        form.send().await.unwrap()
    };
    assert_eq!(deed("pause").await.status(), StatusCode::CONFLICT, "it is not planned yet");
    let page = text(&browser, &import).await;
    assert!(
        !page.contains(&format!("{import}/pause")) && page.contains(&format!("href=\"{import}/cancel\"")),
        "{page}"
    );
    let id: i64 = import.rsplit_once('/').unwrap().1.parse().unwrap();
    run_half(&shop, id).await;
    let page = text(&browser, &import).await;
    assert!(page.contains("running") && page.contains(&format!("{import}/pause")), "{page}");
    assert!(page.contains("2 of 4 rows, 1 rows/s, 2.0 s left") && page.contains(">50 %</strong>"), "{page}");
    assert_eq!(deed("pause").await.headers()["location"], import.as_str());
    let paused = text(&browser, &import).await;
    assert!(paused.contains("paused") && paused.contains(&format!("{import}/continue")), "{paused}");
    assert_eq!(deed("continue").await.status(), StatusCode::SEE_OTHER);
    let asked = text(&browser, &format!("{import}/cancel")).await;
    assert!(
        asked.contains("What was imported stays: 0 orders") && asked.contains("2 rows are not read"),
        "{asked}"
    );
    assert_eq!(deed("cancel").await.status(), StatusCode::SEE_OTHER);
    shop.work().await;
    let page = text(&browser, &import).await;
    assert!(page.contains("cancelled") && !page.contains(&format!("{import}/cancel")), "{page}");
    assert!(text(&browser, &format!("{import}/cancel")).await.contains("It is cancelled already"));
}

/// Plans an import, and does half of it in two seconds.
async fn run_half(shop: &Shop, id: i64) {
    let (id, began) = (domain::ImportId::try_from(id).unwrap(), shop.app.now());
    shop.clock.advance(Duration::from_secs(2));
    let now = shop.app.now();
    let run = move |tx: &mut sql::Tx<'_>| -> app::Result<()> {
        let chunk =
            |index, first_line| store::imports::Chunk { index, offset: 0, length: 10, first_line, rows: 2 };
        let plan = store::imports::get(tx, id)?.plan.unwrap_or_default();
        store::imports::mark_planned(tx, id, &plan, (4, 20), &[chunk(0, 2), chunk(1, 4)], began)?;
        let counts = store::imports::Counts { rows_skipped: 2, ..Default::default() };
        assert!(store::imports::mark_chunk_done(tx, id, 0, &counts, now)?);
        Ok(())
    };
    shop.app.transaction("run_half", run).await.unwrap();
}

#[tokio::test]
async fn the_same_file_is_told_of_and_imported_again_only_when_that_is_said() {
    let (shop, browser) = open().await;
    let file = FILE.replace("how many", "qty");
    let at = draft(&browser, "/imports/new", file.clone()).await;
    let first = import(&browser, &at, &[]).await;
    shop.work().await;
    let at = draft(&browser, "/imports/new", file).await;
    let page = text(&browser, &at).await;
    let told = decide(&browser, &at, &page, &[("deed", "import")]).await;
    assert_eq!(told.status(), StatusCode::OK);
    let told = told.text().await.unwrap();
    assert!(
        told.contains("was imported before") && told.contains(&format!("<a href=\"{first}\">")),
        "{told}"
    );
    let again = import(&browser, &at, &[("force", "true")]).await;
    shop.work().await;
    assert_ne!(again, first);
    assert_eq!(tile(&text(&browser, &again).await, "There already"), "2");
}

#[tokio::test]
async fn markup_in_names_and_cells_is_text() {
    let (shop, browser) = open().await;
    let evil = "<script>alert('x')</script>";
    let bytes = FILE
        .replace("how many", &format!("qty,{evil}"))
        .replace("MUG,", &format!("{evil},"))
        .replace(",none,", &format!(",{evil},x,"))
        .replace(",2,", ",2,x,")
        .replace(",1,", &format!(",1,{evil},"));
    let name = "<img src=x onerror=alert(1)>.csv";
    let form = Form::new().text("csrf_token", browser.csrf().to_owned()).part("file", file(bytes, name));
    let answer = send(&browser, "/imports/new", form).await;
    let at = answer.headers()["location"].to_str().unwrap().to_owned();
    let page = text(&browser, &at).await;
    let tried =
        decide(&browser, &at, &page, &[("deed", "try"), ("source", evil)]).await.text().await.unwrap();
    let reported = decide(&browser, &at, &page, &[("deed", "try")]).await.text().await.unwrap();
    assert!(reported.contains("invalid quantity"), "{reported}");
    let import = import(&browser, &at, &[]).await;
    shop.work().await;
    for page in [page, tried, reported, text(&browser, &import).await, text(&browser, "/imports").await] {
        assert!(page.contains("&#60;img src=x") && !page.contains("<img"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}

#[tokio::test]
async fn a_list_of_imports_and_of_rejects_goes_on() {
    let (shop, browser) = open().await;
    let mut file = FILE.lines().next().unwrap().replace("how many", "qty");
    file.extend((0..150).map(|order| format!("\nB-{order},2029-12-01,ann@example.org,MUG,none,1,EUR")));
    let at = draft(&browser, "/imports/new", file).await;
    let first = import(&browser, &at, &[]).await;
    shop.work().await;
    let page = text(&browser, &first).await;
    assert!(page.contains("B-99,") && !page.contains("B-100,"), "{page}");
    let (_, rest) = page.split_once(&format!("href=\"{first}?cursor=")).expect("more rejects");
    let next = text(&browser, &format!("{first}?cursor={}", rest.split_once('"').unwrap().0)).await;
    assert!(
        next.contains("B-149,") && !next.contains("B-99,") && next.contains("To the beginning"),
        "{next}"
    );
    assert_eq!(browser.get(&format!("{first}?cursor=eHh4")).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let at = draft(&browser, "/imports/new", FILE.replace("how many", "qty")).await;
    let second = import(&browser, &at, &[]).await;
    shop.work().await;
    let list = text(&browser, "/imports?limit=1").await;
    assert!(
        list.contains(&format!("href=\"{second}\"")) && !list.contains(&format!("href=\"{first}\"")),
        "{list}"
    );
    let (_, rest) = list.split_once("href=\"/imports?limit=1&#38;cursor=").expect("more imports");
    let list = text(&browser, &format!("/imports?limit=1&cursor={}", rest.split_once('"').unwrap().0)).await;
    assert!(list.contains(&format!("href=\"{first}\"")), "{list}");
}

#[tokio::test]
async fn a_file_of_a_folder_is_looked_at_tried_and_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let allowed = folder.path().canonicalize().unwrap();
    let settings = |config: &mut app::config::Config| {
        config.gateway = reliable();
        config.imports.folders = vec![allowed.clone()];
    };
    let shop = Shop::open_with(free_port().await, settings).await;
    let browser = shop.signed_in(Role::Operator).await;
    let path = allowed.join("orders.csv");
    std::fs::write(&path, FILE).unwrap();
    let named = async |path: &str| {
        let form = browser.form("/imports/named", &[("csrf_token", browser.csrf()), ("named", path)]);
        form.send().await.unwrap()
    };
    let refused = named("/etc/passwd").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let refused = refused.text().await.unwrap();
    assert!(
        refused.contains("none of the folders") && refused.contains("value=\"/etc/passwd\""),
        "{refused}"
    );
    let answer = named(path.to_str().unwrap()).await;
    let at = answer.headers()["location"].to_str().unwrap().to_owned();
    let page = text(&browser, &at).await;
    assert!(page.contains("no column for qty") && page.contains(path.to_str().unwrap()), "{page}");
    let unmapped = decide(&browser, &at, &page, &[("deed", "import")]).await;
    assert_eq!(unmapped.status(), StatusCode::UNPROCESSABLE_ENTITY, "it is not fetched for nothing");
    let mapped = [("column.qty", "how many"), ("initial_stock", "9")];
    let tried = decide(&browser, &at, &page, &[&mapped[..], &[("deed", "try")]].concat()).await;
    assert_eq!(tile(&tried.text().await.unwrap(), "Orders to be imported"), "2");
    let import = import(&browser, &at, &mapped).await;
    assert!(text(&browser, &import).await.contains("The file is on its way"));
    shop.work().await;
    assert_eq!(tile(&text(&browser, &import).await, "Orders imported"), "2");
    assert_eq!(shop.spooled(), 0);
    let (_elsewhere, browser) = open().await;
    let hidden = text(&browser, "/imports/new").await;
    assert!(!hidden.contains("/imports/named"), "where nothing may be named: {hidden}");
}
