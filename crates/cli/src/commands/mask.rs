//! `tracebook mask`.

use tracebook_app::Error;
use tracebook_app::api::{
    MaskAllow, MaskCount, MaskException, MaskList, MaskPlace, MaskPreview, MaskProve, MaskRules, MaskTable, MaskValue,
};
use tracebook_core::ids::{Id, IdError};

use crate::args::Mask;
use crate::client::Client;
use crate::out::{Out, columns};

pub(super) async fn run(client: &Client, command: Mask, out: &Out) -> Result<u8, Error> {
    match command {
        Mask::List => out.answer(&client.call(MaskList {}).await?, table),
        Mask::Rules => {
            let rules = client.call(MaskRules {}).await?;
            out.table(&rules, |rule| {
                let name = if rule.own { format!("{} (yours)", rule.name) } else { rule.name.clone() };
                vec![name, rule.placeholders.join(", "), rule.from.clone()]
            });
        }
        Mask::Preview { entries } => {
            let preview = client.call(MaskPreview { entries }).await?;
            out.answer(&preview, |preview| {
                let place = |p: &MaskPlace| p.line.map_or(p.entry.clone(), |line| format!("{}:{line}", p.entry));
                let mut text = String::new();
                for one in &preview.places {
                    text.push_str(&format!("{}\n- {}\n+ {}\n", place(one), one.before, one.after));
                }
                let value = |v: &MaskValue| {
                    vec![
                        v.placeholder.clone(),
                        v.value.clone(),
                        v.rule.clone(),
                        format!("{}×", v.count),
                        v.entries.join(", "),
                    ]
                };
                let rule = |c: &MaskCount| vec![c.rule.clone(), c.count.to_string()];
                text.push_str(&columns(&preview.values.iter().map(value).collect::<Vec<_>>()));
                text.push_str(&columns(&preview.rules.iter().map(rule).collect::<Vec<_>>()));
                text.push_str(&exceptions(&preview.exceptions));
                format!(
                    "{text}{} in texts and evidence\n",
                    tracebook_core::text::count(preview.total as usize, "value")
                )
            });
        }
        Mask::Allow { value, entry } => {
            out.answer(&client.call(MaskAllow { value, entry, allowed: true }).await?, |t| exceptions(&t.exceptions));
        }
        Mask::Disallow { value, entry } => {
            let rest = client.call(MaskAllow { value, entry, allowed: false }).await?;
            out.answer(&rest, |t| exceptions(&t.exceptions));
        }
        Mask::Prove { id, file } => {
            let evidence: Id = id
                .parse()
                .map_err(|e: IdError| Error::usage(e.to_string(), "`evidence list` shows the ids of evidence"))?;
            let proof = client.call(MaskProve { evidence, file }).await?;
            out.answer(&proof, |proof| {
                let verdict = match (proof.ok, &proof.masked_digest) {
                    (true, Some(_)) => "it differs from the original by placeholders only",
                    (true, None) => "nothing in it is masked",
                    (false, _) => "it is NOT the original with placeholders",
                };
                let masked = proof.masked_digest.clone().unwrap_or_else(|| proof.digest.clone());
                format!(
                    "{verdict}\nexported    {masked}\noriginal    {}\nsalt        {}\ncommitment  {}\n",
                    proof.digest, proof.salt, proof.commitment
                )
            });
            return Ok(u8::from(!proof.ok));
        }
    }
    Ok(0)
}

fn table(table: &MaskTable) -> String {
    let rows: Vec<Vec<String>> = table
        .masks
        .iter()
        .map(|mask| {
            let reserved = || match &mask.origin {
                Some(journal) => format!("reserved (of journal {journal})"),
                None => "reserved".to_owned(),
            };
            vec![mask.placeholder.clone(), mask.value.clone().unwrap_or_else(reserved)]
        })
        .collect();
    format!("{}{}", columns(&rows), exceptions(&table.exceptions))
}

fn exceptions(all: &[MaskException]) -> String {
    let row = |exception: &MaskException| {
        let place = match (&exception.entry, exception.configured) {
            (Some(entry), _) => format!("in the text of {entry}"),
            (None, true) => "everywhere (tracebook.toml)".to_owned(),
            (None, false) => "everywhere".to_owned(),
        };
        vec!["not masked".to_owned(), exception.value.clone(), place]
    };
    columns(&all.iter().map(row).collect::<Vec<_>>())
}
