//! The slot finder against what students write.

use tracebook_render::markdown::scan;

const WEEK2: &str = include_str!("data/week2.md");

#[test]
fn the_six_of_a_real_entry_are_found() {
    let found: Vec<_> = scan(WEEK2).slots.into_iter().map(|s| (s.n, s.line, s.text, s.wants)).collect();
    let expected = [
        (1, 17, "Image of Console Logging Here", "console"),
        (2, 33, "insert Image of \"successful sent batch of 1 segments\"", "console"),
        (3, 35, "Insert image of Traces", "trace"),
        (4, 43, "Inser Image of LogEvents", "logs"),
        (5, 55, "Image of HelloWorld Rollbar Item", "error"),
        (6, 59, "#2 Type Error Image", "error"),
    ];
    for (_, line, text, _) in expected {
        assert_eq!(WEEK2.lines().nth(line - 1).map(str::trim), Some(text), "the table names real lines");
    }
    assert_eq!(found, expected.map(|(n, line, text, wants)| (n, line, text.to_owned(), wants.to_owned())));
}

const SLOTS: &[&str] = &[
    "Image of Console Logging Here",
    "Insert image of Traces",
    "insert Image of \"successful sent batch of 1 segments\"",
    "Inser Image of LogEvents",
    "Image of HelloWorld Rollbar Item",
    "#2 Type Error Image",
    "#3 Rollbar Error Image",
    "INSERT IMAGE OF TRACES",
    "insret image of the service map",
    "Instert screenshot here",
    "Insert screenshot of X-Ray traces",
    "insert sceenshot of honeycomb",
    "Insert screen shot of the rollbar dashboard",
    "add picture of the traces",
    "Add pic of rollbar error here",
    "add a screenshot showing the spans in Honeycomb",
    "Add screenshot",
    "add screenshot here",
    "Please add a screenshot of CloudWatch logs",
    "Put Honeycomb screenshot here",
    "put image here",
    "place image of the trace map here",
    "Paste screenshot of docker compose up",
    "Attach screenshot for the saved query",
    "Include an image of the X-Ray group",
    "[insert image of traces]",
    "[Insert screenshot]",
    "[screenshot]",
    "[image here]",
    "(insert image of log group)",
    "{insert picture}",
    "<insert screenshot here>",
    "<Insert image of Traces>",
    "TODO: image of the trace",
    "TODO: add screenshot of Rollbar",
    "TODO screenshot",
    "TODO - insert image of service map",
    "**Insert image of traces**",
    "*insert screenshot of console output*",
    "_Image of Honeycomb traces_",
    "Screenshot of the X-Ray traces",
    "screenshot of rollbar item",
    "Screenshot of Honeycomb query result",
    "A screenshot of the daemon logs",
    "Screenshots of the traces here",
    "Screenshot here",
    "image here",
    "Image goes here",
    "Traces screenshot",
    "Honeycomb trace image",
    "Rollbar item screenshot",
    "X-Ray Service Map Image",
    "Picture of CloudWatch log events",
    "pic of terminal output",
    "Photo of the terminal output here",
    "insert image of spans.",
    "Insert image of traces:",
    "Insert traces here",
    "paste logs here",
    "[add rollbar error]",
    "- Insert image of Traces",
    "* screenshot of the service map",
    "1. Insert image of log events",
    "> Insert image of Traces",
    "- [ ] insert screenshot of traces",
    "Need screenshot of rollbar",
    "need image of traces",
    "Missing screenshot of the logs",
    "insert image of `docker compose logs`",
    "Insert Image - Traces of the home endpoint [here]",
    "Screenshot: daemon output",
    "Console output image here",
    "[INSERT SCREENSHOT OF DAEMON]",
    "<insert screenshot of ls>",
    "📷 [Insert Screenshot of My Whole Setup – Containers Running on Both Machines]",
    "Insert screenshot of the Grafana dashboard.",
    "> *[Insert screenshot of the page with the error visible]*",
    "*(Insert screenshot of your app here)*",
    "> **[Placeholder for Student to Insert Screenshot of Login working]**",
    "INSERT IMAGE OF FINAL RESULT IF NEEDED.....",
    "*Insert Image of Diagram*",
    "-----INSERT IMAGE OF THE TASK LIST-----",
    "Insert image of first_table and second_table",
    "*** Insert image of being logged in ***",
    "@todo insert image of the setup",
];

const PROSE: &[&str] = &[
    "The image of the container was 2 GB so I rebuilt it.",
    "I pushed the image to ECR",
    "Docker image",
    "Build the image",
    "Image processing pipeline",
    "### Image Processing",
    "## Insert image of traces",
    "docker image ls",
    "docker build -t image .",
    "The docker image",
    "Base image",
    "Base image: python:3.10-slim-buster",
    "Container image scanning",
    "Container image",
    "Image tag",
    "Image: python:3.10",
    "Pull the image",
    "Push image to ECR",
    "Tag the image",
    "Add image tag to the task definition",
    "Add image URI to the task definition",
    "Add the image to the frontend",
    "Add image to ECR",
    "Upload image to S3",
    "Upload the image",
    "Insert image into the DynamoDB table",
    "Insert the image record into the table",
    "Inserts image rows into the table",
    "I inserted an image of the traces below.",
    "Here is an image of the traces",
    "Here is a screenshot of my traces:",
    "Below is a screenshot of the trace",
    "See the screenshot below",
    "As you can see in the image below, the trace has two spans.",
    "This image shows the trace",
    "The screenshot shows the spans.",
    "My screenshot",
    "The image",
    "image",
    "Images",
    "Profile image",
    "Profile picture upload",
    "Cover image",
    "Resize the image with sharp",
    "Image of the container",
    "Image size matters",
    "Images are stored in S3",
    "Picture this: a service without traces",
    "I took a screenshot of the error",
    "I need to add a screenshot of this later because the workspace was down",
    "We use the node image",
    "Python image",
    "python:3.10-slim-buster image",
    "Error pulling image",
    "Error: no such image",
    "Trace the image",
    "Query the image table",
    "Logs show image pull errors",
    "Is there an image of the trace?",
    "Serverless image processing",
    "Implement image upload",
    "Fix broken image",
    "Update image",
    "Create image",
    "Choose an image for the banner",
    "Multi-stage build to shrink the image",
    "Run the image locally",
    "Scan image for vulnerabilities",
    "Add a picture to your profile",
    "Add the query here to see the result",
    "Traces",
    "Log events",
    "Insert traces into Honeycomb",
    "Add tracing",
    "Add logs",
    "Install the X-Ray daemon",
    "Show traces",
    "Put the logs into CloudWatch",
    "![a real picture](assets/trace.png)",
    "[image of traces](assets/trace.png)",
    "<!-- insert image of traces -->",
    "<img src=\"assets/trace.png\" alt=\"insert image of traces\">",
    "`insert image of traces`",
    "    insert image of traces",
    "```\ninsert image of traces\n```",
    "| a |\n|---|\n| insert image of traces |",
    "---\ntodo: insert image\n---",
    "![x](a.png)\n\nImage of Rollbar Item",
    "Screenshot of the traces:\n\n![](a.png)",
    "I opened the console and took some time to\nadd image of the new\ncontainer to the registry.",
    "The daemon logs show that\nscreenshot of the trace\nworks.",
    "the person who took the photo of the logs was me",
    "A picture is worth a thousand words",
    "Get the big picture of tracing",
    "Snapshot of the database",
    "Image Builder",
    "Amazon Machine Image of the server",
    "Image vs container",
    "Add option to protos",
    "Add any other context or screenshots about the problem here.",
    "Add screenshot capture for web apps",
    "Add screenshots or GIFs if the user interface changes.",
    "Add image picker",
    "Put images in the bucket",
    "Images here are built by CI",
    "Place the picture element inside the header",
];

#[test]
fn slots_are_found() {
    assert!(SLOTS.len() >= 40);
    let missed: Vec<_> =
        SLOTS.iter().filter(|text| scan(&format!("# Week\n\n{text}\n\nText after it.\n")).slots.len() != 1).collect();
    assert!(missed.is_empty(), "not found: {missed:#?}");
}

#[test]
fn prose_is_left_alone() {
    assert!(PROSE.len() >= 60);
    let front = |text: &str| {
        if text.starts_with("---") { text.to_owned() } else { format!("# Week\n\n{text}\n\nText after it.\n") }
    };
    let taken: Vec<_> = PROSE.iter().filter(|text| !scan(&front(text)).slots.is_empty()).collect();
    assert!(taken.is_empty(), "taken for slots: {taken:#?}");
}

#[test]
fn an_image_without_target_is_a_slot_outside_code() {
    let body = "# Week\r\n\r\n![Traces]()\r\n\r\n| a | b |\r\n|---|---|\r\n| ![Group]() | x |\r\n\r\n`![No]()`\r\n\r\n```\r\n![No]()\r\n```\r\n";
    let slots = scan(body).slots;
    let found: Vec<_> = slots
        .iter()
        .map(|s| (s.line, s.text.as_str(), s.wants.as_str(), &body[s.place.byte_start..s.place.byte_end]))
        .collect();
    assert_eq!(found, [(3, "Traces", "trace", "![Traces]()"), (7, "Group", "groups", "![Group]()")]);
}

#[test]
fn a_slot_is_what_capture_replaces() {
    for (body, place) in [
        ("- **Insert image of traces**  \n", "**Insert image of traces**"),
        ("> - insert screenshot here", "insert screenshot here"),
        ("\u{feff}Insert image of traces\r", "Insert image of traces"),
        ("Did it.\nInsert image of traces\nThen went on.", "Insert image of traces"),
        ("I saw them in Honeycomb\nInsert image of traces", "Insert image of traces"),
        ("- [ ] insert screenshot\n", "insert screenshot"),
        ("😀 done.\n\n[insert image of 😀 traces]\n", "[insert image of 😀 traces]"),
    ] {
        let slots = scan(body).slots;
        assert_eq!(slots.len(), 1, "{body:?}");
        assert_eq!(&body[slots[0].place.byte_start..slots[0].place.byte_end], place);
        let utf16: Vec<u16> = body.encode_utf16().collect();
        assert_eq!(String::from_utf16_lossy(&utf16[slots[0].place.start..slots[0].place.end]), place);
    }
}

const CORPUS: &str = include_str!("data/slot-corpus.txt");

/// What the finder gets right in one half of the corpus.
#[derive(Debug, Default)]
struct Score {
    found: usize,
    missed: Vec<&'static str>,
    wrong: Vec<&'static str>,
}

impl Score {
    /// The percentage of slots that are found, and of finds that are slots.
    fn percent(&self) -> (usize, usize) {
        let of = |all: usize| self.found * 100 / all.max(1);
        (of(self.found + self.missed.len()), of(self.found + self.wrong.len()))
    }
}

#[test]
fn most_slots_of_five_languages_are_found_and_little_else() {
    let lines: Vec<&str> = CORPUS.lines().filter(|line| line.starts_with(['+', '-'])).collect();
    assert!(lines.len() >= 300, "{}", lines.len());
    let mut halves = [Score::default(), Score::default()];
    for (n, line) in lines.into_iter().enumerate() {
        let (sign, text) = (&line[..1], &line[5..]);
        let text_of = text.replace("\\n", "\n");
        let slots = scan(&format!("# Week\n\nText before it.\n\n{text_of}\n\nText after it.\n")).slots;
        let score = &mut halves[n % 2];
        match (sign, slots.is_empty()) {
            ("+", false) => score.found += 1,
            ("+", true) => score.missed.push(line),
            (_, false) => score.wrong.push(line),
            (_, true) => {}
        }
    }
    for (half, score) in ["adjusted on", "held out"].into_iter().zip(&halves) {
        let (recall, precision) = score.percent();
        println!("{half}: recall {recall} %, precision {precision} %");
        assert!(recall >= 80 && precision >= 95, "{half}: recall {recall} %, precision {precision} %: {score:#?}");
    }
}
