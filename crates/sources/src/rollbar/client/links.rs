//! Links to Rollbar's pages.
//!
//! Rollbar does not document these URLs, and has had two forms; so the user gives the beginning, copied from the
//! browser: `https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT`, or the older
//! `https://rollbar.com/ACCOUNT/PROJECT/items`.

use reqwest::Url;

/// An item by the number that people see. `None` if `prefix` is not an `https` URL.
pub fn item(prefix: &str, counter: u64) -> Option<String> {
    let (mut url, _) = begin(prefix)?;
    url.path_segments_mut().ok()?.push(&counter.to_string());
    Some(url.into())
}

/// An occurrence of an item. `None` if `prefix` is not an `https` URL.
pub fn occurrence(prefix: &str, counter: u64, id: u64) -> Option<String> {
    let (mut url, older) = begin(prefix)?;
    let word = if older { "occurrences" } else { "occurrence" };
    url.path_segments_mut().ok()?.extend([&counter.to_string(), word, &id.to_string()]);
    Some(url.into())
}

/// An occurrence by its `data.uuid`, which needs no account and no project. `None` if it is not a UUID.
pub fn by_uuid(uuid: &str) -> Option<String> {
    let is_uuid = (32..=36).contains(&uuid.len()) && uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_uuid.then(|| format!("https://rollbar.com/occurrence/uuid/?uuid={uuid}"))
}

/// The beginning without what may follow it in a browser, and whether it is of the older form.
fn begin(prefix: &str) -> Option<(Url, bool)> {
    let mut url = Url::parse(prefix.trim()).ok().filter(|url| url.scheme() == "https" && url.username().is_empty())?;
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut().ok()?.pop_if_empty();
    let older = url.path_segments()?.next_back() == Some("items");
    Some((url, older))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_address_lead_to_an_item_and_an_occurrence() {
        let newer = "https://app.rollbar.com/a/cruddur/fix/item/backend-flask";
        for prefix in [newer, "https://app.rollbar.com/a/cruddur/fix/item/backend-flask/?tab=x#top"] {
            assert_eq!(item(prefix, 15), Some(format!("{newer}/15")));
            assert_eq!(occurrence(prefix, 15, 409_692_133_742), Some(format!("{newer}/15/occurrence/409692133742")));
        }
        let older = "https://rollbar.com/cruddur/backend-flask/items/";
        assert_eq!(item(older, 15), Some(format!("{older}15")));
        assert_eq!(occurrence(older, 15, 7), Some(format!("{older}15/occurrences/7")));
        for odd in ["", "app.rollbar.com/a/b", "javascript:alert(1)", "http://rollbar.com/a/b/items", "https://me@x/"] {
            assert_eq!((item(odd, 1), occurrence(odd, 1, 2)), (None, None), "{odd}");
        }
    }

    #[test]
    fn a_uuid_needs_no_prefix() {
        let uuid = "dbaa0b9f-b933-491b-b7a4-c08d37ce783f";
        assert_eq!(by_uuid(uuid), Some(format!("https://rollbar.com/occurrence/uuid/?uuid={uuid}")));
        assert_eq!(by_uuid("x&y"), None);
        assert_eq!(by_uuid(""), None);
    }
}
