//! Helpers for statements and rows.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use tracebook_core::ids::Id;

use crate::error::StoreError;

/// Maximum number of rows of a statement. Statements come in sizes of powers of two, so that each is prepared once and
/// cached.
const MAX_ROWS: usize = 128;

pub(crate) type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

/// Splits rows into chunks of a few fixed sizes, one statement each.
pub(crate) fn statements<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = match rest.len() {
            0 => return None,
            MAX_ROWS.. => MAX_ROWS,
            n => 1 << n.ilog2(),
        };
        let (chunk, after) = rest.split_at(size);
        rest = after;
        Some(chunk)
    })
}

/// Rows of one statement with the numbers that they got: consecutive ones, up to the last.
pub(crate) fn numbered<T>(last: i64, rows: &[T]) -> impl Iterator<Item = (i64, &T)> {
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    (last.saturating_sub(count).saturating_add(1)..).zip(rows)
}

/// Appends numbers as a list and the closing bracket.
pub(crate) fn push_list(sql: &mut QueryBuilder<Sqlite>, numbers: impl IntoIterator<Item = i64>) {
    let mut list = sql.separated(", ");
    for number in numbers {
        list.push_bind(number);
    }
    sql.push(")");
}

/// An id of fixed length.
pub(crate) fn fixed<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.get(column);
    bytes.try_into().map_err(|_| StoreError::Damaged(format!("an id of the wrong length in {column}")))
}

/// An id of fixed length that may be missing.
pub(crate) fn optional<const N: usize>(row: &SqliteRow, column: &str) -> Option<[u8; N]> {
    row.get::<Option<Vec<u8>>, _>(column)?.try_into().ok()
}

pub(crate) fn id_of(text: String) -> Result<Id, StoreError> {
    text.parse().map_err(|e| StoreError::Damaged(format!("{e}")))
}

/// A count, which is never negative.
pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Damaged(e.to_string()))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Damaged(e.to_string()))
}
