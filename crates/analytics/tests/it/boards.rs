use analytics::Fact;
use domain::{Currency, Period};
use jiff::civil::date;

use crate::verify::faults;
use crate::{Shop, choice, confirmed, customers, refunded};

#[test]
fn ties_share_a_rank_the_earlier_first_and_the_next_rank_skips() {
    let shop = Shop::utc();
    shop.apply(&[
        confirmed(1, 40, "2024-03-05T10:00:00Z", 100),
        confirmed(2, 30, "2024-03-05T12:00:00Z", 500),
        confirmed(3, 20, "2024-03-05T11:00:00Z", 500),
        confirmed(4, 10, "2024-03-05T09:00:00Z", 900),
    ]);
    for period in [Period::Day, Period::Week, Period::Month, Period::All] {
        let board = shop.board(customers(period, date(2024, 3, 5), 10));
        let ranks: Vec<_> = board.entries.iter().map(|entry| (entry.rank, entry.who)).collect();
        assert_eq!(ranks, [(1, 10), (2, 20), (2, 30), (4, 40)], "{period}");
    }
}

#[test]
fn a_free_order_counts_but_does_not_move_a_score_to_a_later_time() {
    let shop = Shop::utc();
    shop.apply(&[
        confirmed(1, 1, "2024-03-05T10:00:00Z", 500),
        confirmed(2, 2, "2024-03-05T11:00:00Z", 500),
        confirmed(3, 1, "2024-03-05T12:00:00Z", 0),
    ]);
    let board = shop.board(customers(Period::Day, date(2024, 3, 5), 10));
    let first = &board.entries[0];
    assert_eq!((first.who, first.score.count, first.rank), (1, 2, 1));
}

#[test]
fn the_board_of_all_time_is_right_beyond_the_leaders_that_are_kept() {
    let shop = Shop::utc();
    let mut told = Vec::new();
    let mut tell = |facts: Vec<Fact>| {
        shop.apply(&facts);
        told.extend(facts);
        assert_eq!(faults(&shop, &told), Vec::<String>::new());
    };
    let all = |limit| customers(Period::All, date(2024, 3, 5), limit);
    let top = |limit| shop.board(all(limit)).entries.iter().map(|entry| entry.who).collect::<Vec<_>>();

    // 2,500 customers, of whom the later have the more: the floor of the leaders rises to customer 1,501.
    for first in (1..2_500).step_by(500) {
        tell((first..first + 500).map(|id| confirmed(id, id, "2024-03-05T10:00:00Z", id * 10)).collect());
    }
    assert_eq!(top(3), [2_500, 2_499, 2_498]);
    assert_eq!(top(2_500), (1..=2_500).rev().collect::<Vec<_>>());

    // Somebody climbs from the bottom to the top, somebody falls, and so does the one on the floor.
    tell(vec![
        confirmed(3_000, 1, "2024-03-06T10:00:00Z", 50_000),
        refunded(2_499, 2_499, "2024-03-06T10:00:00Z", 24_990),
        refunded(1_501, 1_501, "2024-03-06T10:00:00Z", 15_000),
    ]);
    assert_eq!(top(3), [1, 2_500, 2_498]);
    assert_eq!(top(1_000).last(), Some(&1_500));
    let fallen = shop.standing(2_499, all(1)).unwrap().entries;
    assert_eq!(fallen.last().map(|entry| (entry.rank, entry.who, entry.score.net)), Some((2_500, 2_499, 0)));

    // Refunds empty the leaders: the floor sinks, and the board is whole again.
    let refund = |id| refunded(id, id, "2024-03-07T10:00:00Z", id * 10);
    tell((1_600..=2_498).map(refund).collect());
    if shop.store.is_none() {
        let sql = "SELECT COUNT(*) FROM customer_leaders";
        let leaders: i64 = shop.read(move |tx, _| Ok(tx.query_one(sql, &[], |row| row.get(0))?)).unwrap();
        assert_eq!(leaders, 1_000);
    }
    assert_eq!(top(4), [1, 2_500, 1_599, 1_598]);
    assert_eq!(shop.standing(1_000, all(1)).unwrap().entries.len(), 3);
}

#[test]
fn somebody_without_figures_in_the_period_has_no_rank() {
    let shop = Shop::utc();
    assert_eq!(shop.standing(1, customers(Period::All, date(2024, 3, 5), 3)), None);
    shop.apply(&[confirmed(1, 1, "2024-03-05T10:00:00Z", 500)]);
    assert!(shop.standing(1, customers(Period::Day, date(2024, 3, 5), 3)).is_some());
    assert_eq!(shop.standing(1, customers(Period::Day, date(2024, 3, 6), 3)), None);
    assert_eq!(shop.standing(2, customers(Period::All, date(2024, 3, 5), 3)), None);
}

#[test]
fn a_board_has_the_shape_that_others_parse() {
    #[derive(serde::Serialize)]
    struct Named {
        id: i64,
        name: String,
    }
    let shop = Shop::utc();
    shop.apply(&[
        confirmed(1, 8, "2024-03-05T10:00:00Z", 1_999),
        confirmed(2, 9, "2024-03-05T10:00:00Z", 500),
    ]);
    let name = |id| Named { id, name: format!("Customer {id}") };
    let all = shop.board(customers(Period::All, date(2024, 3, 5), 10)).name(name);
    insta::assert_json_snapshot!("board_of_customers", all);
    let products = analytics::BoardQuery {
        of: analytics::BoardOf::Products,
        currency: choice(Some(Currency::EUR)),
        ..customers(Period::Week, date(2024, 3, 5), 10)
    };
    insta::assert_json_snapshot!("board_of_products", shop.board(products));
}
