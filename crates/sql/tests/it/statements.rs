use sql::{Conflict, Error, Insert, Tx, Update, Value};

use crate::{count, database, insert};

const COLUMNS: &[&str] = &["id", "name", "n"];

fn rows(ids: std::ops::Range<i64>, n: i64) -> Vec<Value<'static>> {
    ids.flat_map(|id| [id.into(), format!("n{id}").into(), n.into()]).collect()
}

#[tokio::test]
async fn rows_are_inserted_in_sets_of_any_size() {
    let (_folder, db) = database().await;
    for size in [0, 1, 31, 32, 33, 64, 1000, 2500] {
        db.write("rows", move |tx| {
            tx.execute("DELETE FROM things", &[])?;
            let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
            tx.insert_rows(&into, &rows(0..size, 1))
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
        assert_eq!(count(&db).await, size);
    }
}

#[tokio::test]
async fn a_conflict_is_left_or_updated() {
    let (_folder, db) = database().await;
    let sums = db
        .write("conflicts", |tx| {
            let mut into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
            tx.insert_rows(&into, &rows(0..10, 1))?;
            into.conflict = Conflict::Ignore;
            tx.insert_rows(&into, &rows(5..15, 1))?;
            let fresh: i64 = tx.query_one("SELECT COUNT(*) FROM things", &[], |row| row.get(0))?;
            into.conflict = Conflict::Update { key: &["id"], set: &["n = n + new.n"] };
            tx.insert_rows(&into, &rows(0..50, 10))?;
            Ok::<_, Error>((fresh, tx.query_one("SELECT SUM(n) FROM things", &[], |row| row.get::<i64>(0))?))
        })
        .await
        .unwrap();
    assert_eq!(sums, (15, 15 + 500));
}

#[tokio::test]
async fn lists_of_any_length_find_each_row_once() {
    let (_folder, db) = database().await;
    db.write("rows", |tx| {
        tx.insert_rows(
            &Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error },
            &rows(0..2000, 1),
        )
    })
    .await
    .unwrap_or_else(|error: Error| panic!("{error}"));
    for length in [0, 1, 2, 8, 9, 511, 512, 513, 1700] {
        let (found, changed) = db
            .write("list", move |tx| {
                let keys: Vec<Value<'_>> = (0..length).map(Value::Int).collect();
                let found = tx.query_in(
                    "SELECT id FROM things WHERE n >= ? AND id IN ({in})",
                    &[1.into()],
                    &keys,
                    |row| row.get::<i64>(0),
                )?;
                let changed =
                    tx.execute_in("UPDATE things SET n = n + ? WHERE id IN ({in})", &[1.into()], &keys)?;
                Ok::<_, Error>((found, changed))
            })
            .await
            .unwrap();
        assert_eq!(found, (0..length).collect::<Vec<_>>());
        assert_eq!(changed, length.cast_unsigned());
    }
}

#[tokio::test]
async fn a_column_of_another_type_is_named() {
    let (_folder, db) = database().await;
    let error = db
        .write("type", |tx| {
            insert(tx, 1, "a", 1)?;
            tx.query_one("SELECT name FROM things", &[], |row| row.get::<i64>(0))
        })
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "column 0 holds the text \"a\", expected an integer");
}

/// Texts and bytes that other programs trip over.
const AWKWARD: [&str; 8] =
    ["", "a", "A", "a ", "a\t", "o'hara \\ \"x\"; DROP TABLE things; -- ?", "\u{0}\n\r", "Zoë 🦀 \u{feff}"];

#[tokio::test]
async fn texts_come_back_as_they_went_in_and_differ_by_their_bytes() {
    let (_space, db) = database().await;
    let found = db
        .write("texts", |tx| {
            let values: Vec<Value<'_>> = AWKWARD
                .iter()
                .enumerate()
                .flat_map(|(id, text)| [Value::Int(id as i64), (*text).into(), Value::Int(0)])
                .collect();
            let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
            tx.insert_rows(&into, &values)?;
            let renamed: Vec<Value<'_>> =
                AWKWARD.iter().flat_map(|text| [Value::Int(1), (*text).into()]).collect();
            assert_eq!(tx.execute_each("UPDATE things SET n = n + ? WHERE name = ?", 2, &renamed)?, 8);
            let keys: Vec<Value<'_>> = AWKWARD.map(Value::from).to_vec();
            tx.query_in("SELECT name FROM things WHERE n = 1 AND name IN ({in})", &[], &keys, |row| {
                row.get::<String>(0)
            })
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    let (mut found, mut expected) = (found, AWKWARD.map(str::to_owned).to_vec());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_key_that_is_there_against_all_likelihood_is_found_in_every_list_that_has_it() {
    let (_space, db) = database().await;
    let mut sorted = AWKWARD;
    sorted.sort_unstable();
    for there in sorted {
        db.write("one", move |tx| {
            tx.execute("DELETE FROM things", &[])?;
            insert(tx, 1, there, 0)
        })
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
        for chosen in 0_u32..1 << sorted.len() {
            let is_chosen = |index: &usize| chosen & (1 << index) != 0;
            let keys: Vec<&str> = (0..sorted.len()).filter(is_chosen).map(|index| sorted[index]).collect();
            let expected: Vec<&str> = keys.iter().copied().filter(|key| *key == there).collect();
            let find = move |tx: &mut Tx<'_>| {
                let keys: Vec<Value<'_>> = keys.iter().copied().map(Value::from).collect();
                let sql = "SELECT name FROM things WHERE n = ? AND name IN ({in})";
                tx.query_unlikely_in(sql, &[Value::Int(0)], &keys, |row| row.get::<String>(0))
            };
            let found: Vec<String> = db.read::<_, Error>("find", find).await.unwrap();
            assert_eq!(found, expected, "{there:?} of {chosen:b}");
        }
    }
}

#[tokio::test]
async fn whichever_statement_of_a_set_fails_its_transaction_hears_of_it() {
    let (_space, db) = database().await;
    for (fails, change) in [[-9_i64, 1, 1], [1, -9, 1], [1, 1, -9]].into_iter().enumerate() {
        let refused = db
            .write("set", move |tx| {
                for (id, name) in [(1, "a"), (2, "b"), (3, "c")] {
                    insert(tx, id, name, 5)?;
                }
                let values: Vec<Value<'_>> =
                    change.into_iter().zip(1_i64..).flat_map(|(n, id)| [n.into(), id.into()]).collect();
                tx.execute_each("UPDATE things SET n = n + ? WHERE id = ?", 2, &values)
            })
            .await;
        assert!(matches!(refused, Err(Error::Check { .. })), "statement {fails}: {refused:?}");
        assert_eq!(count(&db).await, 0, "statement {fails}");
    }
}

#[tokio::test]
async fn an_insert_that_fails_undoes_its_transaction_whatever_comes_after_it() {
    type Rest = fn(&mut Tx<'_>) -> sql::Result<()>;
    const AFTER: [(&str, Rest); 6] = [
        ("nothing", |_| Ok(())),
        ("a query", |tx| tx.query("SELECT id FROM things", &[], |row| row.get::<i64>(0)).map(drop)),
        ("a statement", |tx| insert(tx, 9, "z", 1).map(drop)),
        ("a set", |tx| {
            tx.execute_each("UPDATE things SET n = ? WHERE id = ?", 2, &[1.into(), 1.into()]).map(drop)
        }),
        ("another insert", |tx| tx.insert_rows(&INTO, &[8.into(), "y".into(), 1.into()])),
        ("what passes over its error", |tx| {
            let _ = tx.query("SELECT id FROM things", &[], |row| row.get::<i64>(0));
            Ok(())
        }),
    ];
    const INTO: Insert<'_> = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
    let (_space, db) = database().await;
    for (what, after) in AFTER {
        let refused = db
            .write("insert", move |tx| {
                tx.insert_rows(&INTO, &[1.into(), "a".into(), 1.into()])?;
                tx.insert_rows(&INTO, &[2.into(), "b".into(), (-1).into()])
                    .or_else(|error| if what.starts_with("what passes") { Ok(()) } else { Err(error) })?;
                tx.insert_rows(&INTO, &[3.into(), "c".into(), 1.into()])?;
                after(tx)
            })
            .await;
        assert!(matches!(refused, Err(Error::Check { .. } | Error::HalfDone)), "{what}: {refused:?}");
        assert_eq!(count(&db).await, 0, "{what}");
    }
}

#[tokio::test]
async fn a_statement_that_fails_is_named_wherever_its_error_comes_out() {
    let (_space, db) = database().await;
    let refused = db
        .write("insert", |tx| {
            insert(tx, 1, "a", 1)?;
            for (table, id) in [("things", 2_i64), ("nothings", 3), ("things", 4)] {
                let into = Insert { table, columns: COLUMNS, conflict: Conflict::Error };
                tx.insert_rows(&into, &[id.into(), "b".into(), 1.into()])?;
            }
            tx.execute_each("UPDATE things SET n = ? WHERE id = ?", 2, &[1.into(), 1.into()])
        })
        .await;
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("INTO nothings (id"), "{told}");
    assert_eq!(count(&db).await, 0);
}

#[tokio::test]
async fn what_was_inserted_is_there_for_the_next_statement() {
    let (_space, db) = database().await;
    let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
    let found = db
        .write("insert", move |tx| {
            tx.insert_rows(&into, &[1.into(), "a".into(), 1.into()])?;
            let sum = "SELECT SUM(n) FROM things";
            let mut sums = vec![tx.query_one(sum, &[], |row| row.get::<i64>(0))?];
            tx.insert_rows(&into, &[2.into(), "b".into(), 10.into()])?;
            let set = "UPDATE things SET n = n + ? WHERE id = ?";
            let matched = tx.execute_each(set, 2, &[100.into(), 1.into(), 200.into(), 2.into()])?;
            tx.insert_rows(&into, &[3.into(), "c".into(), 1_000.into()])?;
            tx.insert_rows(&into, &[4.into(), "d".into(), 10_000.into()])?;
            let all = tx.execute("UPDATE things SET n = n + 1", &[])?;
            sums.push(tx.query_one(sum, &[], |row| row.get::<i64>(0))?);
            Ok::<_, Error>((sums, matched, all))
        })
        .await;
    assert_eq!(found.unwrap(), (vec![1, 11_315], 2, 4));
}

#[tokio::test]
async fn sets_of_changes_are_done_in_their_order_and_an_error_in_the_last_undoes_all() {
    let (_space, db) = database().await;
    let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
    let add =
        Update { table: "things", columns: &["id", "n"], key: &["id"], only_if: "", set: &["n = n + new.n"] };
    let run = |last: i64| {
        db.write("sets", move |tx| {
            tx.insert_rows(&into, &rows(1..4, 1))?;
            tx.update_rows(&add, &[1.into(), 10.into(), 3.into(), 30.into()])?;
            tx.delete_rows("things", &["id"], &[1.into()])?;
            tx.insert_rows(&into, &rows(1..2, 100))?;
            tx.update_rows(&add, &[1.into(), 1.into(), 3.into(), last.into()])
        })
    };
    let refused = run(-32).await;
    assert!(matches!(&refused, Err(Error::Check { .. })), "{refused:?}");
    assert_eq!(count(&db).await, 0);
    run(-31).await.unwrap_or_else(|error: Error| panic!("{error}"));
    let found = db
        .read("found", |tx| tx.query("SELECT n FROM things ORDER BY id", &[], |row| row.get::<i64>(0)))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    assert_eq!(found, [101, 1, 0]);
}

#[tokio::test]
async fn matched_rows_are_counted_whether_they_change_or_not() {
    let (_space, db) = database().await;
    let matched = db
        .write("same", |tx| {
            insert(tx, 1, "a", 7)?;
            tx.execute("UPDATE things SET n = 7 WHERE id = 1", &[])
        })
        .await;
    assert_eq!(matched.unwrap_or_else(|error: Error| panic!("{error}")), 1);
}

#[tokio::test]
async fn sums_and_counts_are_integers() {
    let (_space, db) = database().await;
    let sums = db
        .write("sums", |tx| {
            insert(tx, 1, "a", 1 << 52)?;
            insert(tx, 2, "b", 3)?;
            tx.query_one("SELECT SUM(n), COUNT(*), MAX(n | 4), SUM(n) / 1 > 0 FROM things", &[], |row| {
                Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<bool>(3)?))
            })
        })
        .await;
    assert_eq!(
        sums.unwrap_or_else(|error: Error| panic!("{error}")),
        ((1 << 52) + 3, 2, (1 << 52) + 4, true)
    );
}

#[tokio::test]
async fn each_row_is_changed_to_its_own_values_and_deleted_by_its_whole_key() {
    let (_space, db) = database().await;
    for size in [1, 2, 249, 250, 251, 1700] {
        let (matched, right, left) = db
            .write("each", move |tx| {
                tx.execute("DELETE FROM things", &[])?;
                let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
                tx.insert_rows(&into, &rows(0..size, 1))?;
                let update = Update {
                    table: "things",
                    columns: &["n", "id", "name"],
                    key: &["id"],
                    only_if: "",
                    set: &["n = n + new.n", "name = COALESCE(new.name, name)"],
                };
                let name = |id: i64| (id % 2 == 0).then(|| format!("m{id}"));
                let changes: Vec<Value<'_>> = (0..size + 5)
                    .flat_map(|id| [Value::Int(id * 10), Value::Int(id), name(id).into()])
                    .collect();
                let matched = tx.update_and_count_rows(&update, &changes)?;
                let right = tx.query("SELECT id, name, n FROM things", &[], |row| {
                    let id: i64 = row.get(0)?;
                    let expected = name(id).unwrap_or_else(|| format!("n{id}"));
                    Ok(row.get::<String>(1)? == expected && row.get::<i64>(2)? == 1 + id * 10)
                })?;
                let keys: Vec<Value<'_>> =
                    (0..size + 5).flat_map(|id| [Value::Int(id), format!("n{id}").into()]).collect();
                tx.delete_rows("things", &["id", "name"], &keys)?;
                Ok::<_, Error>((
                    matched,
                    right,
                    tx.query("SELECT id FROM things ORDER BY id", &[], |row| row.get::<i64>(0))?,
                ))
            })
            .await
            .unwrap();
        assert_eq!(matched, size.cast_unsigned());
        assert!(right.len() == size as usize && right.into_iter().all(|right| right), "{size}");
        assert_eq!(left, (0..size).step_by(2).collect::<Vec<_>>(), "of {size}");
    }
}

#[tokio::test]
async fn rows_that_share_some_values_are_changed_and_deleted_like_any_others() {
    let (_space, db) = database().await;
    for (size, step, shares_n, shares_name) in
        [1, 2, 300, 1_200].into_iter().flat_map(|size| [(size, 1), (size, 3)]).flat_map(|(size, step)| {
            [(true, true), (true, false), (false, true), (false, false)]
                .map(|(n, name)| (size, step, n, name))
        })
    {
        // More than what a floating number holds.
        let n = move |id: i64| (1 << 60) + if shares_n { 7 } else { id % 5 };
        let name = move |id: i64| (!shares_name).then(|| format!("it's new.n of {id}"));
        let (matched, found, left) = db
            .write("alike", move |tx| {
                tx.execute("DELETE FROM things", &[])?;
                let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
                tx.insert_rows(&into, &rows(0..size * step, 1))?;
                // Of every fourth row something does not hold that must.
                tx.execute("UPDATE things SET n = 2 WHERE id % 4 = 3", &[])?;
                let update = Update {
                    table: "things",
                    columns: &["id", "was", "n", "name"],
                    key: &["id"],
                    only_if: "n = 1",
                    set: &["n = n + new.n + new.was", "name = COALESCE(new.name, name)"],
                };
                let wanted = || (0..size).map(|index| index * step);
                let changes: Vec<Value<'_>> =
                    wanted().flat_map(|id| [id.into(), 1.into(), n(id).into(), name(id).into()]).collect();
                let matched = tx.update_and_count_rows(&update, &changes)?;
                let found = tx.query("SELECT id, name, n FROM things ORDER BY id", &[], |row| {
                    Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<i64>(2)?))
                })?;
                let keys: Vec<Value<'_>> = wanted().flat_map(|id| [(2 + n(id)).into(), id.into()]).collect();
                tx.delete_rows("things", &["n", "id"], &keys)?;
                let left = tx.query_one("SELECT COUNT(*) FROM things", &[], |row| row.get::<i64>(0))?;
                Ok::<_, Error>((matched, found, left))
            })
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let changes = |id: i64| id % step == 0 && id % 4 != 3;
        let expected: Vec<(i64, String, i64)> = (0..size * step)
            .map(|id| {
                let unchanged = if id % 4 == 3 { 2 } else { 1 };
                let new_name = name(id).filter(|_| changes(id));
                let n = if changes(id) { 2 + n(id) } else { unchanged };
                (id, new_name.unwrap_or_else(|| format!("n{id}")), n)
            })
            .collect();
        let changed = (0..size * step).filter(|id| changes(*id)).count();
        assert_eq!(found, expected, "{size} rows, every {step}");
        assert_eq!(matched, changed as u64);
        assert_eq!(left, size * step - changed as i64);
    }
}

#[tokio::test]
async fn a_list_may_be_in_any_order_and_have_gaps() {
    let (_space, db) = database().await;
    let into = Insert { table: "things", columns: COLUMNS, conflict: Conflict::Error };
    db.write("rows", move |tx| tx.insert_rows(&into, &rows(0..2_000, 1)))
        .await
        .unwrap_or_else(|error: Error| panic!("{error}"));
    let lists: [Vec<i64>; 6] = [
        (100..700).collect(),
        (100..400).chain(500..900).collect(),
        (100..400).rev().collect(),
        (600..800).chain(100..300).collect(),
        (0..900).step_by(2).collect(),
        vec![5, 3, 1_999, 2_000, -1],
    ];
    for list in lists {
        let keys: Vec<Value<'_>> = list.iter().copied().map(Value::Int).collect();
        let text = "SELECT id FROM things WHERE id IN ({in}) ORDER BY id";
        let found = db
            .read("list", move |tx| tx.query_in(text, &[], &keys, |row| row.get::<i64>(0)))
            .await
            .unwrap_or_else(|error: Error| panic!("{error}"));
        let mut expected: Vec<i64> = list.into_iter().filter(|id| (0..2_000).contains(id)).collect();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}
