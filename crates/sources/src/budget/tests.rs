use super::*;

fn of_two(large: Part, small: Part, total: usize) -> &'static Budget {
    let mut parts = [Part { reserved: 0, limit: 0 }; PURPOSES];
    parts[Purpose::LargeBody as usize] = large;
    parts[Purpose::SmallBody as usize] = small;
    Box::leak(Box::new(Budget::new(total, parts, Duration::from_millis(100))))
}

#[test]
fn the_reserved_parts_fit_into_the_total() {
    let reserved: usize = PARTS.iter().map(|part| part.reserved).sum();
    assert!(reserved <= TOTAL, "{reserved}");
    assert!(PARTS.iter().all(|part| part.reserved <= part.limit));
}

#[tokio::test]
async fn what_is_reserved_for_one_purpose_is_not_taken_by_another() {
    let budget = of_two(Part { reserved: 0, limit: 100 }, Part { reserved: 30, limit: 60 }, 100);
    let large = budget.take(Purpose::LargeBody, 70).await.expect("free");
    assert_eq!(budget.try_take(Purpose::LargeBody, 1).err(), Some(Busy), "the rest is reserved");
    let small = budget.take(Purpose::SmallBody, 30).await.expect("reserved");
    assert_eq!(budget.try_take(Purpose::SmallBody, 1).err(), Some(Busy), "the total is taken");
    drop(large);
    let more = budget.try_take(Purpose::SmallBody, 30).expect("up to the limit");
    assert_eq!(budget.try_take(Purpose::SmallBody, 1).err(), Some(Busy), "not beyond the limit");
    drop((small, more));
    assert_eq!((budget.used(Purpose::SmallBody), budget.used(Purpose::LargeBody)), (0, 0));
}

#[tokio::test]
async fn requests_wait_in_turn_and_not_forever() {
    let budget = Budget::of_each(10, Duration::from_millis(200));
    let mut first = budget.take(Purpose::Answer, 8).await.expect("free");
    let second = tokio::spawn(budget.take(Purpose::Answer, 6));
    tokio::task::yield_now().await;
    let third = tokio::spawn(budget.take(Purpose::Answer, 1));
    tokio::task::yield_now().await;
    first.shrink(4);
    let second = second.await.expect("no panic").expect("its turn");
    assert_eq!(third.await.expect("no panic").err(), Some(Busy), "nothing is free");
    assert_eq!(budget.take(Purpose::Answer, 11).await.err(), Some(Busy), "more than there is");
    drop((first, second));
    assert_eq!(budget.used(Purpose::Answer), 0);
}

#[tokio::test]
async fn whoever_stops_waiting_keeps_nothing_and_blocks_nobody() {
    let budget = Budget::of_each(10, Duration::from_secs(5));
    let first = budget.take(Purpose::Answer, 6).await.expect("free");
    let gone = tokio::spawn(budget.take(Purpose::Answer, 10));
    tokio::task::yield_now().await;
    let behind = tokio::spawn(budget.take(Purpose::Answer, 4));
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.is_err());
    drop(first);
    behind.await.expect("no panic").expect("nobody is before it");
    assert_eq!(budget.used(Purpose::Answer), 0);
}

#[tokio::test]
async fn bytes_hold_their_share_until_the_last_clone_is_dropped() {
    let budget = Budget::of_each(10, Duration::from_millis(10));
    let bytes = budget.take(Purpose::Answer, 4).await.expect("free").hold(vec![1, 2, 3, 4]);
    let part = bytes.slice(1..2);
    drop(bytes);
    assert_eq!(budget.used(Purpose::Answer), 4);
    drop(part);
    assert_eq!(budget.used(Purpose::Answer), 0);
}

#[tokio::test(start_paused = true)]
async fn the_slowest_body_is_ended_where_memory_is_short() {
    let budget = Budget::of_each(10, Duration::from_secs(4));
    let all = budget.take(Purpose::SmallBody, 10).await.expect("free");
    let (slow, fast, large) = (budget.arrival(), budget.arrival(), budget.arrival());
    slow.received(10);
    fast.received(100);
    large.is_large();
    let waits = tokio::spawn(budget.take(Purpose::SmallBody, 1));
    tokio::select! {
        () = slow.ended() => {}
        () = fast.ended() => panic!("the faster one"),
        () = large.ended() => panic!("one that takes other memory"),
    }
    drop(all);
    waits.await.expect("no panic").expect("free");
}
