//! Records of a database file as rows of the tables whose shape they have.

use sqlx::{Row as _, SqliteConnection};

use super::pages::{Cell, Kind, varint};
use crate::error::StoreError;

/// A value of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Integer(_) | Self::Real(_) | Self::Blob(_) => None,
        }
    }

    pub(super) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Null | Self::Real(_) | Self::Text(_) | Self::Blob(_) => None,
        }
    }
}

/// A record; its last values are missing if it is cut off.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) rowid: i64,
    pub(super) values: Vec<Value>,
    /// How many values it had.
    pub(super) columns: usize,
    /// What can be read of a text that is cut off; it follows `values`.
    pub(super) cut: Option<String>,
    types: Vec<u64>,
}

impl Record {
    /// Decodes a record, <https://sqlite.org/fileformat.html#record_format>. `None` if it is not one.
    pub(super) fn read(cell: &Cell) -> Option<Self> {
        let payload = &cell.payload;
        let mut at = 0;
        let header = usize::try_from(varint(payload, &mut at)?).ok()?;
        if header > payload.len() {
            return None;
        }
        let mut types = Vec::new();
        while at < header {
            types.push(varint(&payload[..header], &mut at)?);
        }
        let mut record = Self {
            kind: cell.kind,
            rowid: cell.rowid,
            values: Vec::with_capacity(types.len()),
            columns: types.len(),
            cut: None,
            types,
        };
        for serial in record.types.clone() {
            let length = length(serial)?;
            let Some(bytes) = payload.get(at..at.checked_add(length)?) else {
                if is_text(serial) {
                    record.cut = Some(readable(payload.get(at..).unwrap_or_default()));
                }
                break;
            };
            match value(serial, bytes) {
                Some(value) => record.values.push(value),
                // Not UTF-8: a page in the middle was overwritten.
                None => {
                    record.cut = Some(readable(bytes));
                    break;
                }
            }
            at += length;
        }
        Some(record)
    }

    /// A row that is put together from others.
    pub(super) fn made(values: Vec<Value>) -> Self {
        Self { kind: Kind::Table, rowid: 0, columns: values.len(), values, cut: None, types: Vec::new() }
    }

    pub(super) fn complete(&self) -> bool {
        self.values.len() == self.columns
    }
}

fn length(serial: u64) -> Option<usize> {
    Some(match serial {
        0 | 8 | 9 => 0,
        1..=4 => usize::try_from(serial).ok()?,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        _ => usize::try_from((serial - 12) / 2).ok()?,
    })
}

fn is_text(serial: u64) -> bool {
    serial >= 13 && serial % 2 == 1
}

fn value(serial: u64, bytes: &[u8]) -> Option<Value> {
    Some(match serial {
        0 => Value::Null,
        1..=6 => {
            let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            Value::Integer(bytes.iter().fold(start, |number, byte| number << 8 | i64::from(*byte)))
        }
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        _ if is_text(serial) => Value::Text(std::str::from_utf8(bytes).ok()?.to_owned()),
        _ => Value::Blob(bytes.to_vec()),
    })
}

/// The text before the first byte that is not UTF-8.
fn readable(bytes: &[u8]) -> String {
    bytes.utf8_chunks().next().map(|chunk| chunk.valid().to_owned()).unwrap_or_default()
}

/// A column as it was declared.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    declared: String,
    nullable: bool,
    /// The column that is the rowid, which records store as NULL.
    is_rowid: bool,
}

/// A table of the schema.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    kind: Kind,
}

impl Table {
    /// The tables of a database, without SQLite's own, the record of migrations, and what says which texts are in the
    /// search indexes: those are made again.
    pub(super) async fn all(connection: &mut SqliteConnection) -> Result<Vec<Self>, StoreError> {
        let found = sqlx::query(
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_sqlx\\_%' ESCAPE '\\' AND name <> 'indexed' ORDER BY name",
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut tables = Vec::new();
        for row in found {
            let name: String = row.get("name");
            let without_rowid = row.get::<i64, _>("wr") != 0;
            let columns = sqlx::query("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?) ORDER BY cid")
                .bind(&name)
                .fetch_all(&mut *connection)
                .await?;
            let columns = columns.iter().map(|row| {
                let declared: String = row.get("type");
                let key = row.get::<i64, _>("pk") > 0;
                let is_rowid = key && !without_rowid && declared == "INTEGER";
                let nullable = row.get::<i64, _>("notnull") == 0 && !key;
                Column { name: row.get("name"), declared, nullable, is_rowid }
            });
            let kind = if without_rowid { Kind::Index } else { Kind::Table };
            tables.push(Self { columns: columns.collect(), name, kind });
        }
        Ok(tables)
    }

    /// Whether a record has the shape of a row. Rows from before a column was added are shorter.
    pub(super) fn fits(&self, record: &Record) -> bool {
        let missing = self.columns.get(record.types.len()..);
        record.kind == self.kind
            && missing.is_some_and(|missing| missing.iter().all(|column| column.nullable))
            && record.types.len() > 1
            && self.columns.iter().zip(&record.types).all(|(column, serial)| match serial {
                0 => column.nullable || column.is_rowid,
                1..=6 | 8 | 9 => column.declared == "INTEGER" || column.declared == "REAL",
                7 => column.declared == "REAL",
                serial if is_text(*serial) => column.declared == "TEXT",
                _ => column.declared == "BLOB",
            })
    }

    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|found| found.name == column)
    }

    /// Inserts a complete record, unless there is a row with its key.
    pub(super) async fn insert(&self, connection: &mut SqliteConnection, record: &Record) -> Result<bool, StoreError> {
        let names: Vec<String> =
            self.columns.iter().take(record.values.len()).map(|column| format!("\"{}\"", column.name)).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let sql = format!("INSERT OR IGNORE INTO \"{}\" ({}) VALUES ({marks})", self.name, names.join(", "));
        let mut insert = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (column, value) in self.columns.iter().zip(&record.values) {
            insert = match value {
                Value::Null if column.is_rowid => insert.bind(record.rowid),
                Value::Null => insert.bind(None::<i64>),
                Value::Integer(number) => insert.bind(*number),
                Value::Real(number) => insert.bind(*number),
                Value::Text(text) => insert.bind(text.clone()),
                Value::Blob(bytes) => insert.bind(bytes.clone()),
            };
        }
        Ok(insert.execute(connection).await?.rows_affected() > 0)
    }
}
