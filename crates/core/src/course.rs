//! The course: its weeks, their titles and homework, and the template of an entry.

/// One week of the course.
#[derive(Clone, Copy, Debug)]
pub struct Week {
    /// `0` … `11`, `X`.
    pub week: &'static str,
    /// The topic of the week.
    pub title: &'static str,
    /// The required homework, one heading each, with the kinds of its evidence (empty: text only).
    pub homework: &'static [(&'static str, &'static [&'static str])],
    /// Optional homework.
    pub challenges: &'static [(&'static str, &'static [&'static str])],
}

/// The weeks in order.
pub const WEEKS: &[Week] = &[
    Week {
        week: "0",
        title: "Billing and Architecture",
        homework: &[("Billing alarm and budget", &[]), ("Architecture diagrams", &[])],
        challenges: &[],
    },
    Week {
        week: "1",
        title: "App Containerization",
        homework: &[
            ("Containerize the backend and the frontend", &["Console output of docker compose"]),
            ("Notifications endpoint and page", &[]),
        ],
        challenges: &[],
    },
    Week {
        week: "2",
        title: "Distributed Tracing",
        homework: &[
            ("Instrument Honeycomb with OTEL", &["Traces", "Saved query"]),
            ("Instrument AWS X-Ray", &["Traces", "X-Ray daemon console output", "Group", "Sampling rule"]),
            ("Configure a custom logger to send to CloudWatch Logs", &["Log events"]),
            ("Integrate Rollbar and capture an error", &["Rollbar error"]),
        ],
        challenges: &[
            ("Custom attributes and a custom span", &["Trace with custom attributes"]),
            ("X-Ray subsegments with metadata", &["Trace with subsegments"]),
            ("Frontend tracing", &["Trace from the browser"]),
            ("Rollbar person and payload", &["Rollbar error with person"]),
        ],
    },
    Week {
        week: "3",
        title: "Decentralized Authentication",
        homework: &[
            ("Cognito user pool", &[]),
            ("Custom sign-in, sign-up, confirmation and recovery pages", &[]),
            ("Verify the JWT on the server side", &["Console output"]),
        ],
        challenges: &[],
    },
    Week {
        week: "4",
        title: "Postgres and RDS",
        homework: &[
            ("Provision an RDS instance", &[]),
            ("Schema, seed and connection scripts", &["Console output"]),
            ("Create activities", &[]),
        ],
        challenges: &[],
    },
    Week {
        week: "5",
        title: "DynamoDB and Serverless Caching",
        homework: &[("Data modelling and access patterns", &[]), ("Implement the conversations", &["Console output"])],
        challenges: &[],
    },
    Week {
        week: "6",
        title: "Deploying Containers",
        homework: &[
            ("ECS cluster, repositories and task definitions", &["Console output"]),
            ("Health checks", &["Console output"]),
        ],
        challenges: &[],
    },
    Week {
        week: "7",
        title: "Load Balancing and a Custom Domain",
        homework: &[("Application load balancer", &[]), ("Hosted zone and certificate", &["Console output"])],
        challenges: &[],
    },
    Week {
        week: "8",
        title: "Serverless Image Processing",
        homework: &[("Image pipeline", &["Log events"]), ("Avatar upload", &[])],
        challenges: &[],
    },
    Week {
        week: "9",
        title: "CI/CD",
        homework: &[("Build and deploy pipeline", &["Console output"])],
        challenges: &[],
    },
    Week {
        week: "10",
        title: "CloudFormation, Part 1",
        homework: &[("Network, cluster and service templates", &["Console output"])],
        challenges: &[],
    },
    Week {
        week: "11",
        title: "CloudFormation, Part 2",
        homework: &[("Database, table and pipeline templates", &["Console output"])],
        challenges: &[],
    },
    Week {
        week: "X",
        title: "Clean-up",
        homework: &[("Sync tool and last features", &[]), ("Clean-up of what was built", &["Console output"])],
        challenges: &[],
    },
];

/// The week with this number, if there is one.
pub fn find(week: &str) -> Option<&'static Week> {
    WEEKS.iter().find(|w| w.week == week)
}

/// The title of a week's entry: `Week 2 — Distributed Tracing`.
pub fn title(week: &str) -> String {
    match find(week) {
        Some(row) => format!("Week {} — {}", row.week, row.title),
        None => format!("Week {week}"),
    }
}

/// The text that a new entry starts with: the week's homework as headings, and an open slot where
/// evidence belongs.
pub fn template(week: Option<&str>, title: &str) -> String {
    let mut text = format!("# {title}\n");
    let row = week.and_then(find);
    for (heading, parts) in [
        ("Required Homework", row.map_or(&[][..], |r| r.homework)),
        ("Homework Challenges", row.map_or(&[][..], |r| r.challenges)),
    ] {
        text.push_str(&format!("\n## {heading}\n"));
        for (part, slots) in parts {
            text.push_str(&format!("\n### {part}\n"));
            for slot in *slots {
                text.push_str(&format!("\n![{slot}]()\n"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_week_has_a_template() {
        let weeks: Vec<_> = WEEKS.iter().map(|w| w.week).collect();
        assert_eq!(weeks, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "X"]);
        let text = template(Some("2"), &title("2"));
        assert!(text.starts_with("# Week 2 — Distributed Tracing\n\n## Required Homework\n\n### Instrument Honeycomb"));
        assert!(text.contains("![Group]()"));
    }
}
