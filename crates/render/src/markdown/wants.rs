//! The kind of evidence that a slot's text asks for.

/// `trace`, `logs`, `error`, `console`, `service-map`, `groups`, `sampling-rules`, `dossier`, `query` or `unknown`, by
/// the first rule that matches a word.
///
/// The order matters: a product's name precedes a general word (`Rollbar item in the console` is an error), a place
/// precedes its content (`console logging` is console output), and `error` comes late because every kind can contain
/// one (`trace with an error` is a trace).
pub(super) fn wants(text: &str) -> &'static str {
    let words = words(text);
    let has = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    let pair = |first: &[&str], second: &[&str]| {
        words.windows(2).any(|w| first.contains(&w[0].as_str()) && second.contains(&w[1].as_str()))
    };
    let vendor_console = pair(&["aws", "xray", "ray", "honeycomb", "cloudwatch", "management"], &["console"]);
    const GROUPS: [&str; 2] = ["group", "groups"];
    let rules: [(&str, bool); 12] = [
        ("dossier", has(&["dossier"])),
        ("sampling-rules", pair(&["sampling"], &["rule", "rules"])),
        (
            "groups",
            pair(&["xray", "ray", "trace", "tracing"], &GROUPS)
                || matches!(words.as_slice(), [only] if GROUPS.contains(&only.as_str())),
        ),
        ("service-map", pair(&["service", "trace", "services"], &["map", "maps", "graph"]) || has(&["servicemap"])),
        (
            "query",
            has(&["query", "queries", "board", "boards", "consulta", "consultas", "abfrage", "requête", "requêtes"]),
        ),
        ("error", has(&["rollbar", "item", "items", "occurrence", "occurrences"])),
        (
            "logs",
            has(&["cloudwatch", "watchtower", "logevents"])
                || pair(&["log"], &["group", "groups", "stream", "streams", "event", "events"]),
        ),
        (
            "console",
            !vendor_console && has(&["console"])
                || has(&[
                    "terminal", "output", "daemon", "stdout", "shell", "cli", "bash", "compose", "consola", "salida",
                    "saída", "konsole", "ausgabe", "sortie",
                ])
                || pair(&["sent"], &["batch"])
                || pair(&["docker", "container", "containers"], &["logs", "log", "ps", "up"]),
        ),
        ("error", has(&["stacktrace", "traceback"]) || pair(&["stack"], &["trace"])),
        (
            "trace",
            has(&[
                "trace",
                "traces",
                "tracing",
                "span",
                "spans",
                "honeycomb",
                "xray",
                "segment",
                "segments",
                "subsegment",
                "subsegments",
                "waterfall",
                "otel",
                "opentelemetry",
                // Spanish, Portuguese, German.
                "traza",
                "trazas",
                "rastro",
                "rastros",
                "rastreamento",
                "ablaufverfolgung",
            ]) || pair(&["x"], &["ray"]),
        ),
        (
            "error",
            has(&[
                "error",
                "errors",
                "exception",
                "exceptions",
                "typeerror",
                "crash",
                "errores",
                "excepción",
                "erro",
                "erros",
                "exceção",
                "fehler",
                "fehlers",
                "ausnahme",
                "erreur",
                "erreurs",
            ]),
        ),
        (
            "logs",
            has(&["log", "logs", "logging", "logger", "registros", "protokoll", "protokolle", "journaux", "bitácora"]),
        ),
    ];
    rules.into_iter().find_map(|(kind, fits)| fits.then_some(kind)).unwrap_or("unknown")
}

/// Words in lower case; `LogEvents` are two, `X-Ray` is two and `CloudWatch` stays one.
fn words(text: &str) -> Vec<String> {
    const ONE: [&str; 3] = ["CloudWatch", "HoneyComb", "OpenTelemetry"];
    let mut text = text.to_owned();
    for name in ONE {
        text = text.replace(name, &name.to_lowercase());
    }
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let camel = c.is_uppercase() && before.is_lowercase();
        if (camel || !c.is_alphanumeric()) && words.last().is_some_and(|w| !w.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::wants;

    #[test]
    fn words_say_what_is_wanted() {
        for (text, kind) in [
            ("insert Image of \"successful sent batch of 1 segments\"", "console"),
            ("Image of Console Logging Here", "console"),
            ("Insert image of Traces", "trace"),
            ("Inser Image of LogEvents", "logs"),
            ("Image of HelloWorld Rollbar Item", "error"),
            ("#2 Type Error Image", "error"),
            ("TypeError screenshot", "error"),
            ("Screenshot of the X-Ray console", "trace"),
            ("X-Ray daemon console output", "console"),
            ("X-Ray service map", "service-map"),
            ("ServiceMap", "service-map"),
            ("Saved query", "query"),
            ("Honeycomb board", "query"),
            ("CloudWatch logs", "logs"),
            ("docker compose logs", "console"),
            ("backend logs", "logs"),
            ("Trace with an error", "trace"),
            ("Stack trace", "error"),
            ("Rollbar error with person", "error"),
            ("Group", "groups"),
            ("X-Ray group", "groups"),
            ("Security group", "unknown"),
            ("Log groups", "logs"),
            ("Sampling rule", "sampling-rules"),
            ("X-Ray sampling rules", "sampling-rules"),
            ("Dossier of the request", "dossier"),
            ("my desk", "unknown"),
        ] {
            assert_eq!(wants(text), kind, "{text}");
        }
    }
}
