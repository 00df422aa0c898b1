//! Reading traces: summaries, documents, graphs. Includes traces received over OTLP.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value as Json, json};
use tracebook_core::assemble::assemble;
use tracebook_core::ids::TraceId;
use tracebook_core::service_map::{self, Maker, MapNode, NodeKind, Outcome, ServiceMap, Traffic, outcome};
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Span, SpanKind, Trace, TracePosition};
use tracebook_core::value::Value;

use super::api::{ApiError, ApiRequest, Context, LargeResult, TRACE_BYTES, seconds};
use super::groups;
use crate::receive::CommitError;
use crate::text::clip;
use crate::xray::document::documents;
use crate::xray::expression::{
    CLIENT_IP, Expression, Groups, INSTANCE, RESOURCE, Subject, USER, USER_AGENT, ZONE, first, type_of, url,
};

/// How many traces are read for one page of summaries, and held at once for a graph.
const PAGE: u32 = 100;

/// AWS's limit of ids in one request.
const MAX_IDS: usize = 5;

/// AWS's limit of indexed annotations.
const MAX_ANNOTATIONS: usize = 50;

/// One page of the traces that began in the range, newest first. A page may be empty and not the last.
pub(super) async fn summaries(context: &Context, request: &ApiRequest) -> LargeResult {
    let (from, before) = range(request)?;
    let expression = Expression::parse(request.text("FilterExpression")?.unwrap_or_default())
        .map_err(|problem| ApiError::invalid(problem.to_string()))?;
    let groups = groups_of(context, &expression).await?;
    let after = match request.text("NextToken")?.filter(|token| !token.is_empty()) {
        None => None,
        Some(token) => Some(
            place(token)
                .ok_or_else(|| ApiError::invalid("NextToken is invalid; request the first page again without one."))?,
        ),
    };
    let share = context.reading().await?;
    let Batch { page, more } = page(context, from, before, after).await?;
    let mut found = Vec::new();
    let mut newest = None;
    for trace in load(context, page.iter().map(|(_, id)| *id).collect(), TRACE_BYTES).await? {
        newest = newest.or(Some(trace.start()));
        let subject = Subject::new(&trace);
        if expression.matches(&subject, &groups) {
            found.push(summary(&subject));
        }
    }
    let mut answer = Map::new();
    answer.insert("TraceSummaries".to_owned(), found.into());
    answer.insert("ApproximateTime".to_owned(), seconds(newest.unwrap_or(Nanos(before.0.saturating_sub(1)))).into());
    answer.insert("TracesProcessedCount".to_owned(), page.len().into());
    if let Some(last) = page.last().filter(|_| more) {
        answer.insert("NextToken".to_owned(), token(*last).into());
    }
    Ok((answer.into(), share))
}

/// Traces that are read at once.
struct Batch {
    page: Vec<TracePosition>,
    /// Whether there may be others after them.
    more: bool,
}

/// As many of the next traces as may be held at a time.
async fn page(context: &Context, from: Nanos, before: Nanos, after: Option<TracePosition>) -> Result<Batch, ApiError> {
    let mut page = context.store.traces(from, before, after, PAGE).await?;
    let ids: Vec<TraceId> = page.iter().map(|(_, id)| *id).collect();
    let mut bytes = 0u64;
    let sizes = context.store.sizes(&ids).await?;
    let fit = sizes.iter().take_while(|size| {
        bytes = bytes.saturating_add(**size);
        bytes <= TRACE_BYTES
    });
    let fit = fit.count().max(1);
    let more = page.len() == PAGE as usize || fit < page.len();
    page.truncate(fit);
    Ok(Batch { page, more })
}

/// Up to five traces as segment documents.
pub(super) async fn batch(context: &Context, request: &ApiRequest) -> LargeResult {
    let mut traces = Vec::new();
    let mut unprocessed = Vec::new();
    let (said, ids): (Vec<_>, Vec<_>) = ids(request)?.into_iter().unzip();
    let share = context.reading().await?;
    let most = TRACE_BYTES / (ids.len() as u64).max(1);
    let sizes = context.store.sizes(&ids).await?;
    let records = context.store.spans(&ids, most).await?;
    for (((said, id), size), records) in said.into_iter().zip(&ids).zip(sizes).zip(records) {
        if records.is_empty() {
            unprocessed.push(said);
            continue;
        }
        let start = records.iter().map(|record| record.start).min().unwrap_or_default();
        let end = records.iter().map(|record| record.end.unwrap_or(record.start)).max().unwrap_or_default();
        let segments: Vec<Json> = documents(&records, context.normalise)
            .into_iter()
            .map(|document| json!({"Id": document.id.to_string(), "Document": document.text}))
            .collect();
        traces.push(json!({
            "Id": id.xray(),
            "Duration": length(end.0.saturating_sub(start.0)),
            "LimitExceeded": size > most,
            "Segments": segments,
        }));
    }
    Ok((json!({"Traces": traces, "UnprocessedTraceIds": unprocessed}), share))
}

/// The service graph of the range, of all traces or of a group.
pub(super) async fn service_graph(context: &Context, request: &ApiRequest) -> LargeResult {
    let (from, before) = range(request)?;
    let mut expression = Expression::default();
    if request.get("GroupName").is_some() || request.get("GroupARN").is_some() {
        let group = groups::found(context, request).await?;
        expression = parse_group(&group.name, &group.filter_expression)?;
    }
    let groups = groups_of(context, &expression).await?;
    let share = context.reading().await?;
    let mut maker = Maker::default();
    let mut after = None;
    loop {
        let Batch { page, more } = page(context, from, before, after).await?;
        after = page.last().copied();
        for trace in load(context, page.into_iter().map(|(_, id)| id).collect(), TRACE_BYTES).await? {
            if expression.matches(&Subject::new(&trace), &groups) {
                maker.add(&trace);
            }
        }
        if after.is_none() || !more {
            break;
        }
    }
    let graph = json!({
        "StartTime": seconds(from),
        "EndTime": seconds(Nanos(before.0.saturating_sub(1))),
        "Services": services(&maker.finish()),
        "ContainsOldGroupVersions": false,
    });
    Ok((graph, share))
}

/// The service graph of up to five traces.
pub(super) async fn trace_graph(context: &Context, request: &ApiRequest) -> LargeResult {
    let share = context.reading().await?;
    let mut maker = Maker::default();
    let ids: Vec<TraceId> = ids(request)?.into_iter().map(|(_, id)| id).collect();
    let most = TRACE_BYTES / (ids.len() as u64).max(1);
    for trace in load(context, ids, most).await? {
        maker.add(&trace);
    }
    Ok((json!({ "Services": services(&maker.finish()) }), share))
}

/// Those of the traces that are still stored; of each, the spans that have at most `most` bytes.
async fn load(context: &Context, ids: Vec<TraceId>, most: u64) -> Result<Vec<Trace>, ApiError> {
    let found = context.store.spans(&ids, most).await?;
    let normalise = context.normalise;
    // Reading thousands of spans takes a while; the runtime's threads are needed by receivers.
    let read = tokio::task::spawn_blocking(move || {
        let there = ids.into_iter().zip(found).filter(|(_, records)| !records.is_empty());
        there.map(|(id, records)| assemble(id, records.iter().map(|record| normalise(record).0))).collect()
    });
    read.await.map_err(|_| ApiError::from(CommitError::retryable("reading the traces was interrupted")))
}

/// From `StartTime` to `EndTime`, which is inclusive.
fn range(request: &ApiRequest) -> Result<(Nanos, Nanos), ApiError> {
    let (from, to) = (request.time("StartTime")?, request.time("EndTime")?);
    if from > to {
        return Err(ApiError::invalid("EndTime is before StartTime."));
    }
    Ok((from, Nanos(to.0.saturating_add(1))))
}

/// The requested ids without duplicates, as written and as parsed.
fn ids(request: &ApiRequest) -> Result<Vec<(String, TraceId)>, ApiError> {
    let list = request.list("TraceIds")?;
    if list.len() > MAX_IDS {
        return Err(ApiError::invalid(format!(
            "Exceeding maximum query size: {MAX_IDS}. Ask for {} trace ids in several requests.",
            list.len()
        )));
    }
    if request.text("NextToken")?.is_some_and(|token| !token.is_empty()) {
        return Err(ApiError::invalid("NextToken is currently not supported; all segments are in one answer."));
    }
    let mut ids: Vec<(String, TraceId)> = Vec::new();
    for value in list {
        let text = value.as_str().unwrap_or_default();
        let id = text.parse().map_err(|_| {
            let said = clip(&value.to_string());
            ApiError::invalid(format!(
                "Invalid trace id {said}; expected one like 1-581cf771-a006649127e371903a2de979."
            ))
        })?;
        if !ids.iter().any(|(_, seen)| *seen == id) {
            ids.push((text.to_owned(), id));
        }
    }
    Ok(ids)
}

/// The groups that an expression names. A group within a group is refused.
async fn groups_of(context: &Context, expression: &Expression) -> Result<Groups, ApiError> {
    let mut groups = Groups::new();
    let names = expression.groups();
    if names.is_empty() {
        return Ok(groups);
    }
    let stored = context.store.groups().await?;
    for name in names {
        let expression = match stored.iter().find(|group| group.name == name) {
            Some(group) => parse_group(name, &group.filter_expression)?,
            None if name == groups::DEFAULT => Expression::default(),
            None => return Err(ApiError::invalid(format!("Group not found: {}.", clip(name)))),
        };
        if let Some(inner) = expression.groups().first() {
            let words = format!("The group {name} is made of the group {}: name that one instead.", clip(inner));
            return Err(ApiError::invalid(words));
        }
        groups.insert(name.to_owned(), expression);
    }
    Ok(groups)
}

fn parse_group(name: &str, text: &str) -> Result<Expression, ApiError> {
    Expression::parse(text).map_err(|problem| ApiError::invalid(format!("The group {}: {problem}", clip(name))))
}

fn token((start, id): TracePosition) -> String {
    BASE64.encode(format!("after:{}:{id}", start.0))
}

fn place(token: &str) -> Option<TracePosition> {
    let text = BASE64.decode(token).ok()?;
    let (start, id) = std::str::from_utf8(&text).ok()?.strip_prefix("after:")?.split_once(':')?;
    Some((Nanos(start.parse().ok()?), id.parse().ok()?))
}

/// A duration in seconds.
fn length(nanos: i64) -> f64 {
    seconds(Nanos(nanos.max(0)))
}

fn summary(subject: &Subject<'_>) -> Json {
    let trace = subject.trace();
    let mut said = Map::new();
    let mut put = |key: &str, value: Json| said.insert(key.to_owned(), value);
    put("Id", trace.trace_id.xray().into());
    put("StartTime", seconds(trace.start()).into());
    put("Duration", length(trace.duration()).into());
    if let Some(root) = trace.root() {
        let ended = outcome(root);
        put("HasFault", (ended == Outcome::Fault).into());
        put("HasError", matches!(ended, Outcome::Error | Outcome::Throttle).into());
        if let Some(response) = root.duration() {
            put("ResponseTime", length(response).into());
        }
        put("Http", http(root));
        if !root.service.is_empty() {
            let entry = service_map::Place { kind: NodeKind::Service, name: root.service.clone() };
            put("EntryPoint", service_id(&entry, trace));
        }
    }
    put("HasThrottle", subject.throttled().into());
    put("IsPartial", subject.partial().into());
    put("Annotations", annotations(trace));
    put("Users", users(trace));
    let ids: Vec<Json> = subject.calls().places.iter().map(|place| service_id(place, trace)).collect();
    put("ServiceIds", ids.into());
    for (list, key, attributes) in
        [("ResourceARNs", "ARN", RESOURCE), ("InstanceIds", "Id", INSTANCE), ("AvailabilityZones", "Name", ZONE)]
    {
        let mut seen: Vec<&str> = trace.spans.iter().filter_map(|span| first(span, attributes)).collect();
        seen.sort_unstable();
        seen.dedup();
        put(list, seen.into_iter().map(|one| json!({ key: one })).collect());
    }
    for list in ["ErrorRootCauses", "FaultRootCauses", "ResponseTimeRootCauses"] {
        put(list, json!([]));
    }
    put("Revision", 0.into());
    said.into()
}

fn service_id(place: &service_map::Place, trace: &Trace) -> Json {
    let mut id = json!({"Name": place.name, "Names": [place.name], "AccountId": super::api::ACCOUNT});
    let origin = || {
        let segment = trace.spans.iter().find(|s| s.kind == SpanKind::Segment && s.service == place.name)?;
        first(segment, &["origin"]).map(str::to_owned)
    };
    let kind = match place.kind {
        NodeKind::Service => origin(),
        _ => Some(type_of(place)),
    };
    if let (Some(kind), Some(id)) = (kind, id.as_object_mut()) {
        id.insert("Type".to_owned(), kind.into());
    }
    id
}

fn http(root: &Span) -> Json {
    let mut http = Map::new();
    for (key, value) in [
        ("HttpURL", url(root)),
        ("HttpMethod", root.http_method().map(str::to_owned)),
        ("UserAgent", first(root, USER_AGENT).map(str::to_owned)),
        ("ClientIp", first(root, CLIENT_IP).map(str::to_owned)),
    ] {
        if let Some(value) = value {
            http.insert(key.to_owned(), value.into());
        }
    }
    if let Some(status) = root.http_status() {
        http.insert("HttpStatus".to_owned(), status.into());
    }
    http.into()
}

/// Values by key, without duplicates, with the services that set them.
fn annotations(trace: &Trace) -> Json {
    let mut by_key: BTreeMap<&str, Vec<(Json, Vec<&str>)>> = BTreeMap::new();
    let mut taken = 0;
    for span in &trace.spans {
        for annotation in &span.annotations {
            let value = match &annotation.value {
                Value::Str(text) => json!({ "StringValue": text }),
                Value::Bool(flag) => json!({ "BooleanValue": flag }),
                Value::Int(n) => json!({ "NumberValue": n }),
                Value::Double(d) if d.is_finite() => json!({ "NumberValue": d }),
                _ => continue,
            };
            let values = by_key.entry(&annotation.key).or_default();
            match values.iter_mut().find(|(there, _)| *there == value) {
                Some((_, services)) if services.contains(&span.service.as_str()) => {}
                Some((_, services)) => services.push(&span.service),
                None if taken < MAX_ANNOTATIONS => {
                    taken += 1;
                    values.push((value, vec![&span.service]));
                }
                None => {}
            }
        }
    }
    let shown = |(value, services): (Json, Vec<&str>)| {
        let ids: Vec<Json> = services.into_iter().map(|name| json!({"Name": name, "Names": [name]})).collect();
        json!({"AnnotationValue": value, "ServiceIds": ids})
    };
    by_key
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(key, values)| (key.to_owned(), values.into_iter().map(shown).collect()))
        .collect::<Map<String, Json>>()
        .into()
}

fn users(trace: &Trace) -> Json {
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for span in &trace.spans {
        if let Some(user) = first(span, USER) {
            let services = users.entry(user).or_default();
            if !services.contains(&span.service.as_str()) {
                services.push(&span.service);
            }
        }
    }
    let id = |name: &str| json!({"Name": name, "Names": [name]});
    let shown = |(user, services): (&str, Vec<&str>)| {
        let ids: Vec<Json> = services.into_iter().map(id).collect();
        json!({"UserName": user, "ServiceIds": ids})
    };
    users.into_iter().map(shown).collect()
}

/// A service map in the API's format.
fn services(map: &ServiceMap) -> Vec<Json> {
    let (start, end) = (seconds(map.start), seconds(map.end));
    let outside: BTreeSet<u32> = map.nodes.iter().filter(|n| n.kind == NodeKind::Client).map(|n| n.id).collect();
    let mut entered = BTreeSet::new();
    let mut edges: BTreeMap<u32, Vec<Json>> = BTreeMap::new();
    for edge in &map.edges {
        if outside.contains(&edge.from) {
            entered.insert(edge.to);
        }
        edges.entry(edge.from).or_default().push(json!({
            "ReferenceId": edge.to,
            "StartTime": start,
            "EndTime": end,
            "SummaryStatistics": statistics(&edge.traffic),
            "ResponseTimeHistogram": [],
            "Aliases": [],
        }));
    }
    let shown = |node: &MapNode| {
        let mut service = json!({
            "ReferenceId": node.id,
            "Name": node.name,
            "Names": [node.name],
            "State": "active",
            "StartTime": start,
            "EndTime": end,
            "Edges": edges.remove(&node.id).unwrap_or_default(),
            "SummaryStatistics": statistics(&node.traffic),
            "DurationHistogram": [],
            "ResponseTimeHistogram": [],
        });
        let (key, value) = match node.kind {
            NodeKind::Service => ("Root", entered.contains(&node.id).into()),
            kind => ("Type", type_of(&service_map::Place { kind, name: node.name.clone() }).into()),
        };
        if let Some(service) = service.as_object_mut() {
            service.insert(key.to_owned(), value);
        }
        service
    };
    map.nodes.iter().map(shown).collect()
}

fn statistics(traffic: &Traffic) -> Json {
    let Traffic { requests, errors, faults, throttles, total, .. } = *traffic;
    let ok = requests.saturating_sub(errors).saturating_sub(faults).saturating_sub(throttles);
    json!({
        "OkCount": ok,
        "ErrorStatistics": {"ThrottleCount": throttles, "OtherCount": errors, "TotalCount": errors.saturating_add(throttles)},
        "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
        "TotalCount": requests,
        "TotalResponseTime": seconds(total),
    })
}
