//! This month's calls to cloud sources and their price.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use tracebook_core::text::grouped;
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::{Api, Meter, Used};
use tracebook_store::Telemetry;

use crate::ground::error::Error;
use crate::ground::schema::{Usage, UsageRow};

/// Prices with their date.
const PRICES: &str = include_str!("prices.toml");
const GB: f64 = 1e9;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    as_of: String,
    #[serde(rename = "where")]
    place: String,
    xray: XrayPrices,
    logs: LogPrices,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct XrayPrices {
    per_million_traces_retrieved: f64,
    per_million_traces_scanned: f64,
    per_million_traces_recorded: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogPrices {
    per_gb_ingested: f64,
    insights_per_gb_scanned: f64,
    live_tail_per_minute: f64,
}

/// Counts calls of this process; the store adds up the counts of all processes.
#[derive(Debug, Default)]
pub(crate) struct Count {
    fresh: Mutex<BTreeMap<String, u64>>,
}

impl Meter for Count {
    fn called(&self, api: Api) {
        self.add(format!("calls:{}", api.name()), 1);
    }

    fn used(&self, what: Used, n: u64) {
        self.add(format!("used:{}", key(what)), n);
    }
}

impl Count {
    fn add(&self, what: String, n: u64) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        let known = fresh.entry(what).or_insert(0);
        *known = known.saturating_add(n);
    }

    /// Writes the counts since the last time; where that fails, they are kept for the next.
    pub(crate) async fn flush(self: &Arc<Self>, telemetry: &Telemetry, now: Nanos) {
        let fresh = std::mem::take(&mut *self.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        let counts: Vec<(String, u64)> = fresh.into_iter().collect();
        if telemetry.add_usage(&month(now), &counts).await.is_err() {
            for (what, n) in counts {
                self.add(what, n);
            }
        }
    }
}

/// A name in the store. Never renamed.
fn key(what: Used) -> &'static str {
    match what {
        Used::XrayTracesRetrieved => "XrayTracesRetrieved",
        Used::XrayTracesScanned => "XrayTracesScanned",
        Used::XraySegmentsRecorded => "XraySegmentsRecorded",
        Used::LogEventsRead => "LogEventsRead",
        Used::InsightsBytes => "InsightsBytes",
        Used::LiveTailSeconds => "LiveTailSeconds",
        Used::LogBytesPut => "LogBytesPut",
    }
}

const USED: [Used; 7] = [
    Used::XrayTracesRetrieved,
    Used::XrayTracesScanned,
    Used::XraySegmentsRecorded,
    Used::LogEventsRead,
    Used::InsightsBytes,
    Used::LiveTailSeconds,
    Used::LogBytesPut,
];

/// Name and price of one unit; `None` for what is free.
fn priced(what: Used, prices: &Prices) -> (&'static str, Option<f64>) {
    const MILLION: f64 = 1e6;
    match what {
        Used::XrayTracesRetrieved => {
            ("X-Ray traces retrieved", Some(prices.xray.per_million_traces_retrieved / MILLION))
        }
        Used::XrayTracesScanned => ("X-Ray traces scanned", Some(prices.xray.per_million_traces_scanned / MILLION)),
        Used::XraySegmentsRecorded => {
            ("X-Ray segments forwarded", Some(prices.xray.per_million_traces_recorded / MILLION))
        }
        Used::LogEventsRead => ("log events read", None),
        Used::InsightsBytes => ("Insights bytes scanned", Some(prices.logs.insights_per_gb_scanned / GB)),
        Used::LiveTailSeconds => ("Live Tail seconds", Some(prices.logs.live_tail_per_minute / 60.0)),
        Used::LogBytesPut => ("log bytes forwarded", Some(prices.logs.per_gb_ingested / GB)),
    }
}

fn month(now: Nanos) -> String {
    now.rfc3339().chars().take(7).collect()
}

/// The counts of the month with their cost.
pub(crate) async fn usage(telemetry: &Telemetry, now: Nanos) -> Result<Usage, Error> {
    let month = month(now);
    let counts: BTreeMap<String, u64> = telemetry.usage(&month).await?.into_iter().collect();
    let prices: Prices = toml::from_str(PRICES).map_err(Error::internal)?;
    Ok(made(month, &counts, &prices))
}

fn made(month: String, counts: &BTreeMap<String, u64>, prices: &Prices) -> Usage {
    let mut rows = Vec::new();
    let mut said = Vec::new();
    let mut dollars = 0.0;
    for what in USED {
        let n = counts.get(&format!("used:{}", key(what))).copied().unwrap_or(0);
        if n == 0 {
            continue;
        }
        let (name, price) = priced(what, prices);
        #[expect(clippy::cast_precision_loss, reason = "a price for people")]
        let cost = price.map(|price| price * n as f64);
        dollars += cost.unwrap_or(0.0);
        said.push(format!("{} {name}", grouped(usize::try_from(n).unwrap_or(usize::MAX))));
        rows.push(UsageRow { what: name.to_owned(), n, dollars: cost });
    }
    for (what, n) in counts {
        if let Some(api) = what.strip_prefix("calls:") {
            rows.push(UsageRow { what: format!("calls of {api}"), n: *n, dollars: None });
        }
    }
    let summary = match said.is_empty() {
        true if rows.is_empty() => "this month: no calls to the cloud".to_owned(),
        true => "this month: nothing billed".to_owned(),
        false => format!("this month: {}, {}", said.join(", "), price(dollars)),
    };
    let prices = format!("prices of {} for {}; counted here, not the vendor's bill", prices.as_of, prices.place);
    Usage { month, rows, dollars, summary, prices }
}

fn price(dollars: f64) -> String {
    if dollars <= 0.0 {
        "$0".to_owned()
    } else if dollars < 0.01 {
        "< $0.01".to_owned()
    } else {
        format!("about ${dollars:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_is_summarised_in_one_sentence() {
        let prices: Prices = toml::from_str(PRICES).expect("the file reads");
        let of = |counts: &[(&str, u64)]| {
            let counts = counts.iter().map(|(what, n)| ((*what).to_owned(), *n)).collect();
            made("2026-11".to_owned(), &counts, &prices)
        };
        assert_eq!(of(&[]).summary, "this month: no calls to the cloud");
        let usage =
            of(&[("used:XrayTracesRetrieved", 412), ("calls:X-Ray BatchGetTraces", 83), ("used:LogEventsRead", 1_200)]);
        assert_eq!(usage.summary, "this month: 412 X-Ray traces retrieved, 1,200 log events read, < $0.01");
        assert_eq!(usage.rows.len(), 3);
        assert!((usage.dollars - 412.0 * 0.5e-6).abs() < 1e-12);
        let usage = of(&[("used:InsightsBytes", 5_000_000_000_000)]);
        assert!(usage.summary.ends_with("about $25.00"), "{}", usage.summary);
        assert!(usage.prices.contains("2026-11-23"), "{}", usage.prices);
    }

    #[tokio::test]
    async fn counts_of_all_processes_are_added() {
        let folder = tempfile::tempdir().expect("a folder");
        let telemetry = Telemetry::open(folder.path()).await.expect("opens");
        let now = Nanos::parse_rfc3339("2026-11-25T22:00:00Z").expect("a time");
        for _ in 0..2 {
            let count = Arc::new(Count::default());
            count.called(Api::LOGS_FILTER);
            count.used(Used::LogEventsRead, 10);
            count.flush(&telemetry, now).await;
            count.flush(&telemetry, now).await;
        }
        let usage = usage(&telemetry, now).await.expect("reads");
        let row = |name: &str| usage.rows.iter().find(|r| r.what == name).map(|r| r.n);
        assert_eq!(row("log events read"), Some(20));
        assert_eq!(row("calls of CloudWatch Logs FilterLogEvents"), Some(2));
        assert_eq!(usage.summary, "this month: 20 log events read, $0");
        telemetry.close().await;
    }
}
