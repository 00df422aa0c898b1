//! Databases of previous versions.

use super::*;

/// A database with the schema of a migration.
async fn older(dir: &TempDir, migration: i64) -> sqlx::SqliteConnection {
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(dir.path().join("telemetry.db"))
        .create_if_missing(true)
        .connect()
        .await
        .expect("opens");
    crate::open::TELEMETRY.run_to(migration, &mut connection).await.expect("migrates");
    connection
}

#[tokio::test]
async fn traces_of_the_previous_version_are_migrated() {
    let dir = TempDir::new().expect("a temporary directory");
    let mut old = older(&dir, 2).await;
    for statement in [
        "INSERT INTO shared (id, hash, body) VALUES (1, x'01', x'726573'), (2, x'02', x'')",
        "INSERT INTO span (trace_id, span_id, parent_id, encoding, title, service, start_ns, end_ns, status, resource, scope, received, raw)
         VALUES (x'02020202020202020202020202020202', x'0101010101010101', NULL, 2, 'late', 'a', 50, 60, 0, 1, 2, 9, x'0505'),
                (x'01010101010101010101010101010101', x'0202020202020202', x'0101010101010101', 3, 'child', 'b', 20, NULL, 3, 1, 2, 5, x'06'),
                (x'01010101010101010101010101010101', x'0101010101010101', NULL, 2, 'root', 'a', 10, 40, 1, 1, 2, 6, x'07')",
        "INSERT INTO trace (trace_id, title, services, spans, start_ns, end_ns, status, open, rooted, protocols, received)
         VALUES (x'02020202020202020202020202020202', 'late', '[\"a\"]', 1, 50, 60, 0, 0, 1, 1, 9),
                (x'01010101010101010101010101010101', 'root', '[\"a\",\"b\"]', 2, 10, 40, 3, 1, 1, 3, 6)",
        "INSERT INTO console (stream, time_ns, stderr, text, received) VALUES ('flask', 1, 0, 'ü', 1)",
    ] {
        sqlx::query(statement).execute(&mut old).await.expect(statement);
    }
    old.close().await.expect("closes");

    let telemetry = Telemetry::open(dir.path()).await.expect("opens");
    let listed = telemetry.traces(&newest(9)).await.expect("lists");
    let names: Vec<&str> = listed.iter().map(|row| row.summary.name.as_str()).collect();
    assert_eq!(names, ["late", "root"]);
    assert_eq!(listed[1].summary.services, ["a", "b"]);
    let spans = telemetry.spans(TraceId([1; 16])).await.expect("reads");
    assert_eq!(spans.iter().map(|s| s.raw.as_slice()).collect::<Vec<_>>(), [[6], [7]]);
    assert_eq!((spans[0].parent_id, spans[0].end, &*spans[0].resource), (Some(SpanId([1; 8])), None, &b"res"[..]));
    // New spans update migrated ones: the open child is completed.
    let child = SpanRecord { parent_id: Some(SpanId([1; 8])), start: Nanos(20), ..record(1, 2, None, Some(30)) };
    telemetry.commit(&[child], Nanos(20)).await.expect("commits");
    // Lists are in the order of arrival.
    let row = &telemetry.traces(&newest(9)).await.expect("lists")[0];
    assert_eq!((row.summary.spans, row.summary.status.as_str(), row.received), (2, "ok", Nanos(20)));
    super::limits::counted(&telemetry).await;
    // The oldest arrival goes first.
    telemetry.trim(Nanos(10)).await.expect("trims");
    assert_eq!(telemetry.traces(&newest(9)).await.expect("lists")[0].summary.name, "root");
    assert!(
        !std::fs::read_dir(dir.path()).expect("lists").any(|f| f
            .expect("a file")
            .path()
            .extension()
            .is_some_and(|e| e == "bak"))
    );
}
