//! Honeycomb's configuration API: the environment of a key, boards, saved queries.
//!
//! Wire: `docs.honeycomb.io/api` and the official client, `github.com/honeycombio/terraform-provider-honeycombio`
//! (`client/*.go`). Errors are in the format of RFC 7807, or `{"error": …}` only.

use serde_json::Value as Json;

pub use super::auth::Auth;
use super::links;
use super::spec::Spec;
use crate::cloud::rest::Rest;
use crate::cloud::{Api, Fault, Fetch, Http, Progress, Secret, SourceError};
use tracebook_core::text::count;

impl Api {
    /// The configuration API.
    pub const HONEYCOMB_READ: Self = Self::new("Honeycomb's API", 120, 5);
    /// The Query Data API: 10 a minute are documented.
    pub const HONEYCOMB_QUERY: Self = Self::new("Honeycomb's Query Data API", 10, 3);
}

/// Honeycomb's API in the US.
pub const ENDPOINT: &str = "https://api.honeycomb.io";

/// Honeycomb's API in the EU; keys of one region are unknown in the other.
pub const ENDPOINT_EU: &str = "https://api.eu1.honeycomb.io";

/// The most datasets whose saved queries are listed.
const MAX_DATASETS: usize = 50;

/// A client of Honeycomb. Cheap to clone. Its `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) rest: Rest,
    ui: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    pub id: String,
    pub name: String,
    /// The URL of its page; `None` if missing.
    pub link: Option<String>,
    /// In the order of the board.
    pub queries: Vec<BoardQuery>,
}

/// A query on a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BoardQuery {
    /// The dataset's slug; empty if the board does not say.
    pub dataset: String,
    /// What [`Client::query_spec`] and [`Client::run`] take.
    pub query_id: String,
    /// The annotation with its name; empty if there is none.
    pub annotation_id: String,
    /// Empty until [`name_boards`] or if it has none.
    pub name: String,
}

/// A named query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedQuery {
    /// The dataset's slug; [`links::ALL`] for one over the whole environment.
    pub dataset: String,
    /// What [`Client::query_spec`] and [`Client::run`] take.
    pub query_id: String,
    /// The id of its name.
    pub annotation_id: String,
    pub name: String,
    /// May be empty.
    pub description: String,
    /// Whether it was named on a board instead of saved.
    pub of_board: bool,
}

/// Named queries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedQueries {
    /// By dataset.
    pub rows: Vec<SavedQuery>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

impl Client {
    /// A client for `endpoint` ([`ENDPOINT`] or [`ENDPOINT_EU`]) with the user agent `agent`.
    ///
    /// # Errors
    /// [`Fault::Invalid`] for an invalid endpoint, [`Fault::Rejected`] for a malformed key.
    pub fn new(endpoint: &str, key: Secret, agent: &str) -> Result<Self, SourceError> {
        if key.expose().starts_with("hcxmk_") {
            let message = "This is a Honeycomb management key, which cannot read data";
            return Err(SourceError::new(Fault::Rejected, message, KEY));
        }
        let rest = Rest::new("Honeycomb", endpoint, "x-honeycomb-team", key, agent)?;
        Ok(Self { rest, ui: links::ui(endpoint) })
    }

    /// Scheme, host and port of the API.
    pub fn address(&self) -> String {
        self.rest.address()
    }

    /// The base URL of its pages, for [`links`].
    pub fn ui(&self) -> &str {
        &self.ui
    }

    /// The team and environment of the key.
    ///
    /// # Errors
    /// [`Fault::Rejected`] for a key that is unknown in this region.
    pub async fn auth(&self, fetch: &Fetch) -> Result<Auth, SourceError> {
        let answer = self.get(&["1", "auth"], "", fetch).await?;
        let said =
            |part: &str, name: &str| answer.get(part).and_then(|part| part.get(name)).map(text).unwrap_or_default();
        let access = answer.get("api_key_access").and_then(Json::as_object);
        let access: Vec<String> = access
            .into_iter()
            .flatten()
            .filter(|(_, allowed)| allowed.as_bool() == Some(true))
            .map(|(name, _)| name.clone())
            .collect();
        let kind = answer.get("type").map(text).unwrap_or_default();
        let mut notes = Vec::new();
        if kind == "ingest" {
            notes.push("this is an ingest key: links to traces work, boards and saved queries do not".to_owned());
        } else {
            for (name, what) in [("boards", "boards are not listed"), ("queries", "saved queries are not listed")] {
                if !access.iter().any(|allowed| allowed == name) {
                    notes.push(format!("the key has no permission `{name}`: {what}"));
                }
            }
        }
        let environment_slug = said("environment", "slug");
        Ok(Auth {
            team: said("team", "name"),
            team_slug: said("team", "slug"),
            environment: said("environment", "name"),
            classic: environment_slug.is_empty(),
            environment_slug,
            kind,
            access,
            notes,
        })
    }

    /// All boards. [`name_boards`] adds the names of their queries.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] if the key has no permission.
    pub async fn boards(&self, fetch: &Fetch) -> Result<Vec<Board>, SourceError> {
        let answer = self.get(&["1", "boards"], "Manage Public Boards", fetch).await?;
        let boards: Vec<Board> = list(&answer).iter().map(board).collect();
        fetch.progress(Progress {
            pages: 1,
            rows: u32::try_from(boards.len()).unwrap_or(u32::MAX),
            of: 0,
            what: "boards of Honeycomb".to_owned(),
        });
        Ok(boards)
    }

    /// All named queries of the environment and of its datasets, including those on boards. One request for each
    /// dataset.
    ///
    /// # Errors
    /// [`Fault::Forbidden`] if the key has no permission; a dataset that cannot be read becomes a note.
    pub async fn saved_queries(&self, fetch: &Fetch) -> Result<SavedQueries, SourceError> {
        let permission = "Manage Queries and Columns";
        let mut found = SavedQueries::default();
        let answer = self.get(&["1", "datasets"], permission, fetch).await?;
        let mut datasets: Vec<(String, String)> = list(&answer)
            .iter()
            .map(|dataset| (said(dataset, "last_written_at"), said(dataset, "slug")))
            .filter(|(_, slug)| !slug.is_empty())
            .collect();
        // RFC 3339 in UTC sorts as text.
        datasets.sort_by(|a, b| b.cmp(a));
        if datasets.len() > MAX_DATASETS {
            let left_out = count(datasets.len() - MAX_DATASETS, "dataset");
            found.notes.push(format!("{left_out} left out, the least recently written ones"));
            datasets.truncate(MAX_DATASETS);
        }
        let all = datasets.len() + 1;
        for (n, slug) in datasets.iter().map(|(_, slug)| slug.as_str()).chain([links::ALL]).enumerate() {
            let mut url = self.rest.url(&["1", "query_annotations", slug]);
            url.query_pairs_mut().append_pair("include_board_annotations", "true");
            let answer = self.rest.get(Api::HONEYCOMB_READ, &url, fetch).await?;
            match self.open(&answer, permission) {
                Ok(answer) => found.rows.extend(list(&answer).iter().map(|annotation| SavedQuery {
                    dataset: slug.to_owned(),
                    query_id: said(annotation, "query_id"),
                    annotation_id: said(annotation, "id"),
                    name: said(annotation, "name"),
                    description: said(annotation, "description"),
                    of_board: said(annotation, "source") == "board",
                })),
                // Classic teams have no environment.
                Err(error) if slug == links::ALL && matches!(error.fault, Fault::NotFound | Fault::Invalid) => {}
                Err(error) if matches!(error.fault, Fault::NotFound | Fault::Invalid | Fault::Broken) => {
                    found.notes.push(format!("dataset {slug}: {}", error.message));
                }
                Err(error) => return Err(error),
            }
            fetch.progress(Progress {
                pages: u32::try_from(n + 1).unwrap_or(u32::MAX),
                rows: u32::try_from(found.rows.len()).unwrap_or(u32::MAX),
                of: u32::try_from(all).unwrap_or(u32::MAX),
                what: format!("saved queries of {slug}"),
            });
        }
        found.rows.retain(|saved| !saved.query_id.is_empty());
        Ok(found)
    }

    /// The specification of a query.
    ///
    /// # Errors
    /// [`Fault::NotFound`] if the dataset has no such query.
    pub async fn query_spec(&self, dataset: &str, query_id: &str, fetch: &Fetch) -> Result<Spec, SourceError> {
        let answer = self.get(&["1", "queries", dataset, query_id], "Manage Queries and Columns", fetch).await?;
        Spec::of(answer)
    }

    async fn get(&self, segments: &[&str], permission: &str, fetch: &Fetch) -> Result<Json, SourceError> {
        let answer = self.rest.get(Api::HONEYCOMB_READ, &self.rest.url(segments), fetch).await?;
        self.open(&answer, permission)
    }

    /// The JSON of an answer; `permission` is what the key needs for it, as Honeycomb's settings name it.
    pub(super) fn open(&self, answer: &Http, permission: &str) -> Result<Json, SourceError> {
        if let Some(error) = self.rest.broken(answer) {
            return Err(error);
        }
        let json = serde_json::from_slice::<Json>(&answer.body);
        if answer.is_success() {
            return json.map_err(|e| self.rest.unreadable(answer, &crate::json::words(&e)));
        }
        let said = match self.rest.clean(&json.map(|json| problem(&json)).unwrap_or_default()) {
            said if said.is_empty() => format!("status {}", answer.status),
            said => said,
        };
        Err(match answer.status {
            401 => SourceError::new(Fault::Rejected, format!("Honeycomb rejected this key: {said}"), KEY),
            403 => {
                let hint = match permission {
                    "" => KEY.to_owned(),
                    permission => format!("It needs the permission “{permission}”. {KEY}"),
                };
                SourceError::new(Fault::Forbidden, format!("Honeycomb does not allow this with the key: {said}"), hint)
            }
            404 => {
                let message = format!("Honeycomb did not find it: {said}");
                SourceError::new(
                    Fault::NotFound,
                    message,
                    "Check the dataset, and that the key belongs to its environment",
                )
            }
            _ => SourceError::new(Fault::Invalid, format!("Honeycomb rejected the request: {said}"), "Check the query"),
        })
    }
}

/// A hint about keys.
const KEY: &str = "Take a configuration key from Environment settings → API Keys, of the environment and the region that the data is \
    in: keys of the US are not known at https://api.eu1.honeycomb.io, and the other way round";

/// Sets the names of the boards' queries from their annotations, and the dataset if the board does not say it.
pub fn name_boards(boards: &mut [Board], saved: &[SavedQuery]) {
    for query in boards.iter_mut().flat_map(|board| &mut board.queries) {
        let named =
            saved.iter().find(|saved| !query.annotation_id.is_empty() && saved.annotation_id == query.annotation_id);
        let named = named.or_else(|| saved.iter().find(|saved| saved.query_id == query.query_id));
        let Some(named) = named else { continue };
        if query.name.is_empty() {
            query.name.clone_from(&named.name);
        }
        if query.dataset.is_empty() {
            query.dataset.clone_from(&named.dataset);
        }
    }
}

/// A board: flexible boards have panels, classic ones a list of queries.
fn board(board: &Json) -> Board {
    let query = |query: &Json| BoardQuery {
        dataset: said(query, "dataset"),
        query_id: said(query, "query_id"),
        annotation_id: said(query, "query_annotation_id"),
        name: said(query, "caption"),
    };
    let panels = board.get("panels").map(list).unwrap_or_default().iter().filter_map(|panel| panel.get("query_panel"));
    let classic = board.get("queries").map(list).unwrap_or_default();
    let link = board.get("links").map(|links| said(links, "board_url")).filter(|link| link.starts_with("https://"));
    Board {
        id: said(board, "id"),
        name: said(board, "name"),
        link,
        queries: panels.chain(classic).map(query).filter(|query| !query.query_id.is_empty()).collect(),
    }
}

/// The message of an error: RFC 7807 with Honeycomb's `error` and `type_detail`, JSON:API, or a bare `error`.
fn problem(json: &Json) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut add = |part: String| {
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    };
    match said(json, "error") {
        error if error.is_empty() => add(said(json, "title")),
        error => add(error),
    }
    add(said(json, "detail"));
    for detail in json.get("type_detail").map(list).unwrap_or_default().iter().take(5) {
        let (field, words) = (said(detail, "field"), said(detail, "description"));
        let words = if words.is_empty() { said(detail, "code") } else { words };
        add(if field.is_empty() { words } else { format!("{field}: {words}") });
    }
    for error in json.get("errors").map(list).unwrap_or_default().iter().take(5) {
        match said(error, "detail") {
            detail if detail.is_empty() => add(said(error, "title")),
            detail => add(detail),
        }
    }
    parts.join("; ")
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn said(json: &Json, name: &str) -> String {
    json.get(name).map(text).unwrap_or_default()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}
