//! Credentials that must not leave.

use super::{ALNUM, BASE64, DIGITS, HEX, LOWER, UPPER, URL, fake, uuid};

/// A text with a credential in it.
pub(crate) struct Planted {
    /// What it is, for messages.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    /// What must not be found afterwards.
    pub(crate) secret: String,
}

/// Tokens by provider, written from the providers' documentation and not from the tables of the program.
fn tokens() -> Vec<(&'static str, String)> {
    let n = |set: &str, length: usize, seed: u64| fake(set, length, seed);
    vec![
        ("AWS key id", format!("AKIA{}", n(UPPER, 16, 1))),
        ("AWS temporary key id", format!("ASIA{}", n(UPPER, 16, 2))),
        ("AWS secret", format!("wJ4{}", n(BASE64, 37, 3))),
        ("AWS session token", format!("IQoJb3JpZ2luX2Vj{}", n(BASE64, 320, 4))),
        ("AWS older session token", format!("FwoGZXIvYXdzE{}", n(BASE64, 200, 5))),
        ("GitHub personal", format!("ghp_{}", n(ALNUM, 36, 6))),
        ("GitHub OAuth", format!("gho_{}", n(ALNUM, 36, 7))),
        ("GitHub user", format!("ghu_{}", n(ALNUM, 36, 8))),
        ("GitHub server", format!("ghs_{}", n(ALNUM, 36, 9))),
        ("GitHub refresh", format!("ghr_{}", n(ALNUM, 76, 10))),
        ("GitHub fine-grained", format!("github_pat_{}_{}", n(ALNUM, 22, 11), n(ALNUM, 59, 12))),
        ("GitLab personal", format!("glpat-{}", n(URL, 20, 13))),
        ("GitLab routable", format!("glpat-{}.01.{}", n(URL, 27, 14), n(LOWER, 9, 15))),
        ("GitLab runner", format!("glrt-{}", n(URL, 20, 16))),
        ("GitLab trigger", format!("glptt-{}", n(HEX, 40, 17))),
        ("GitLab deploy", format!("gldt-{}", n(URL, 20, 18))),
        ("GitLab registration", format!("GR1348941{}", n(URL, 20, 19))),
        ("Slack bot", format!("xoxb-{}-{}-{}", n(DIGITS, 12, 20), n(DIGITS, 13, 21), n(ALNUM, 24, 22))),
        (
            "Slack user",
            format!("xoxp-{}-{}-{}-{}", n(DIGITS, 12, 23), n(DIGITS, 12, 24), n(DIGITS, 13, 25), n(HEX, 32, 26)),
        ),
        ("Slack app", format!("xapp-1-A{}-{}-{}", n(UPPER, 10, 27), n(DIGITS, 13, 28), n(HEX, 64, 29))),
        ("Slack refresh", format!("xoxe-1-{}", n(ALNUM, 146, 30))),
        ("Stripe live", format!("sk_live_{}", n(ALNUM, 24, 31))),
        ("Stripe test", format!("sk_test_{}", n(ALNUM, 99, 32))),
        ("Stripe restricted", format!("rk_live_{}", n(ALNUM, 24, 33))),
        ("Stripe webhook", format!("whsec_{}", n(ALNUM, 32, 34))),
        ("Google key", format!("AIza{}", n(URL, 35, 35))),
        ("Google access", format!("ya29.{}", n(URL, 120, 36))),
        ("Google client secret", format!("GOCSPX-{}", n(URL, 28, 37))),
        ("Google refresh", format!("1//0{}", n(URL, 60, 38))),
        ("SendGrid", format!("SG.{}.{}", n(URL, 22, 39), n(URL, 43, 40))),
        ("Twilio key", format!("SK{}", n(HEX, 32, 41))),
        ("Mailgun", format!("key-{}", n(HEX, 32, 42))),
        ("Mailchimp", format!("{}-us14", n(HEX, 32, 43))),
        ("Brevo", format!("xkeysib-{}-{}", n(HEX, 64, 44), n(ALNUM, 16, 45))),
        ("Resend", format!("re_{}_{}", n(ALNUM, 8, 46), n(ALNUM, 24, 47))),
        ("DigitalOcean", format!("dop_v1_{}", n(HEX, 64, 48))),
        ("DigitalOcean OAuth", format!("doo_v1_{}", n(HEX, 64, 49))),
        ("New Relic user", format!("NRAK-{}", n(UPPER, 27, 50))),
        ("New Relic insert", format!("NRII-{}", n(URL, 32, 51))),
        ("New Relic license", format!("{}NRAL", n(HEX, 36, 52))),
        ("Sentry organisation", format!("sntrys_eyJ{}_{}", n(ALNUM, 120, 53), n(ALNUM, 43, 54))),
        ("Sentry user", format!("sntryu_{}", n(HEX, 64, 55))),
        ("OpenAI", format!("sk-{}T3BlbkFJ{}", n(ALNUM, 20, 56), n(ALNUM, 20, 57))),
        ("OpenAI project", format!("sk-proj-{}T3BlbkFJ{}", n(URL, 74, 58), n(URL, 74, 59))),
        ("OpenAI service", format!("sk-svcacct-{}T3BlbkFJ{}", n(URL, 58, 60), n(URL, 58, 61))),
        ("Anthropic", format!("sk-ant-api03-{}AA", n(URL, 93, 62))),
        ("Anthropic admin", format!("sk-ant-admin01-{}AA", n(URL, 93, 63))),
        ("Hugging Face", format!("hf_{}", n(ALNUM, 34, 64))),
        ("Shopify", format!("shpat_{}", n(HEX, 32, 65))),
        ("Shopify secret", format!("shpss_{}", n(HEX, 32, 66))),
        ("Square", format!("sq0atp-{}", n(URL, 22, 67))),
        ("Square secret", format!("sq0csp-{}", n(URL, 43, 68))),
        ("Square new", format!("EAAA{}", n(URL, 60, 69))),
        ("Telegram", format!("{}:AA{}", n(DIGITS, 10, 70), n(URL, 33, 71))),
        ("Discord bot", format!("MTA4NjQyMTM1NzkwMjQ2ODEzNQ.G{}.{}", n(URL, 5, 72), n(URL, 38, 73))),
        ("Vault", format!("hvs.CAES{}", n(URL, 90, 74))),
        ("Vault batch", format!("hvb.AAAA{}", n(URL, 140, 75))),
        ("Vault before 1.10", format!("s.{}", n(ALNUM, 24, 76))),
        ("Databricks", format!("dapi{}", n(HEX, 32, 77))),
        ("Grafana account", format!("glsa_{}_{}", n(ALNUM, 32, 78), n(HEX, 8, 79))),
        ("Grafana cloud", format!("glc_eyJ{}", n(ALNUM, 80, 80))),
        ("Linear", format!("lin_api_{}", n(ALNUM, 40, 81))),
        ("Doppler", format!("dp.pt.{}", n(ALNUM, 43, 82))),
        ("Doppler service", format!("dp.st.dev.{}", n(ALNUM, 43, 83))),
        ("Terraform", format!("{}.atlasv1.{}", n(ALNUM, 14, 84), n(URL, 67, 85))),
        ("Docker Hub", format!("dckr_pat_{}", n(URL, 27, 86))),
        ("age", format!("AGE-SECRET-KEY-1{}", n("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, 87))),
        ("npm", format!("npm_{}", n(ALNUM, 36, 88))),
        ("PyPI", format!("pypi-AgEIcHlwaS5vcmc{}", n(URL, 150, 89))),
        ("RubyGems", format!("rubygems_{}", n(HEX, 48, 90))),
        ("Azure client secret", format!("{}8Q~{}", n(ALNUM, 3, 91), n(ALNUM, 34, 92))),
        ("Honeycomb ingest", format!("hcaik_01{}", n(LOWER, 56, 93))),
        ("Heroku", format!("HRKU-AA{}", n(URL, 58, 94))),
        ("Postman", format!("PMAK-{}-{}", n(HEX, 24, 95), n(HEX, 34, 96))),
        ("Atlassian", format!("ATATT3xFfGF0{}={}", n(URL, 170, 97), n(HEX, 8, 98))),
        ("Bitbucket", format!("ATBB{}", n(ALNUM, 32, 99))),
        ("Notion", format!("ntn_{}{}", n(DIGITS, 11, 100), n(ALNUM, 35, 101))),
        ("Notion before 2024", format!("secret_{}", n(ALNUM, 43, 102))),
        ("Figma", format!("figd_{}", n(URL, 40, 103))),
        ("Netlify", format!("nfp_{}", n(ALNUM, 36, 104))),
        ("PlanetScale", format!("pscale_tkn_{}", n(URL, 43, 105))),
        ("PlanetScale password", format!("pscale_pw_{}", n(URL, 43, 106))),
        ("Supabase", format!("sbp_{}", n(HEX, 40, 107))),
        ("Fly.io", format!("fo1_{}", n(URL, 43, 108))),
        ("Fly.io macaroon", format!("fm2_{}", n(BASE64, 200, 109))),
        ("Dynatrace", format!("dt0c01.{}.{}", n(UPPER, 24, 110), n(UPPER, 64, 111))),
        ("JSON Web Token", format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", n(ALNUM, 60, 112), n(URL, 43, 113))),
        ("Tracebook", format!("tbk_{}", n(URL, 43, 114))),
        ("Pulumi", format!("pul-{}", n(HEX, 40, 115))),
        ("Perplexity", format!("pplx-{}", n(ALNUM, 48, 116))),
        ("Groq", format!("gsk_{}", n(ALNUM, 52, 117))),
        ("Replicate", format!("r8_{}", n(ALNUM, 37, 118))),
        ("Octopus", format!("API-{}", n(UPPER, 26, 119))),
        ("Prefect", format!("pnu_{}", n(ALNUM, 36, 120))),
        ("README.com", format!("rdme_{}", n(LOWER, 70, 121))),
        ("Facebook", format!("EAAC{}", n(ALNUM, 120, 122))),
        ("1Password", format!("ops_eyJ{}", n(ALNUM, 250, 123))),
    ]
}

/// Secrets without a form of their own, and the texts that they stand in.
fn in_context() -> Vec<(&'static str, String, String)> {
    let word = "tr0ub4dor-and-3".to_owned();
    let hex = fake(HEX, 32, 200);
    let opaque = fake(ALNUM, 40, 201);
    let id = uuid(202);
    let sas = fake(BASE64, 86, 203);
    let of = |kind: &'static str, text: String, secret: &str| (kind, text, secret.to_owned());
    let mut all = vec![
        of(
            "Slack webhook",
            format!(
                "https://hooks.slack.com/services/T{}/B{}/{}",
                fake(UPPER, 9, 1),
                fake(UPPER, 10, 2),
                fake(ALNUM, 24, 3)
            ),
            &fake(ALNUM, 24, 3),
        ),
        of(
            "Discord webhook",
            format!("https://discord.com/api/webhooks/{}/{}", fake(DIGITS, 19, 4), fake(URL, 68, 5)),
            &fake(URL, 68, 5),
        ),
        of(
            "Telegram address",
            format!("https://api.telegram.org/bot{}:AA{}/sendMessage", fake(DIGITS, 10, 6), fake(URL, 33, 7)),
            &fake(URL, 33, 7),
        ),
        of("Sentry DSN", format!("https://{hex}@o123456.ingest.sentry.io/4501234"), &hex),
        of(
            "Azure storage key",
            format!(
                "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={sas}==;EndpointSuffix=core.windows.net"
            ),
            &sas,
        ),
        of(
            "Azure SAS",
            format!(
                "https://shop.blob.core.windows.net/c/b?sv=2023-11-03&se=2026-12-01&sp=r&sig={}%3D",
                fake(ALNUM, 43, 8)
            ),
            &fake(ALNUM, 43, 8),
        ),
        of("rollbar.init", format!("rollbar.init(\"{hex}\", \"production\")"), &hex),
        of("rollbar.init, single quotes", format!("rollbar.init('{hex}', environment='dev')"), &hex),
        of("Rollbar in JavaScript", format!("new Rollbar({{ accessToken: '{hex}', captureUncaught: true }})"), &hex),
        of("Honeycomb header", format!("x-honeycomb-team: {}", fake(ALNUM, 22, 9)), &fake(ALNUM, 22, 9)),
        of("Heroku key", format!("HEROKU_API_KEY={id}"), &id),
        of("Cloudflare token", format!("CLOUDFLARE_API_TOKEN={opaque}"), &opaque),
        of("AWS secret by name", format!("aws_secret_access_key = {opaque}"), &opaque),
        of("AWS credentials", format!("AKIA{} {}", fake(UPPER, 16, 10), fake(BASE64, 40, 11)), &fake(BASE64, 40, 11)),
        of("mysql -p", format!("mysql -u root -p{word} shop"), &word),
        of("mysql in an array", format!("[\"mysql\", \"-uroot\", \"-p{word}\", \"shop\"]"), &word),
        of("mysql --password", format!("mysqldump --user=root --password={word} shop"), &word),
        of("curl -u", format!("curl -s -u admin:{word} https://example.org"), &word),
        of("curl --user", format!("curl --user 'admin:{word}' https://example.org"), &word),
        of("curl -H", format!("curl -H \"Authorization: Bearer {opaque}\" https://example.org"), &opaque),
        of("wget", format!("wget --http-password={word} https://example.org"), &word),
        of("sshpass", format!("sshpass -p {word} ssh root@db"), &word),
        of("redis-cli", format!("redis-cli -h cache -a {word} ping"), &word),
        of("docker login", format!("docker login -u bob -p {word} registry.example.org"), &word),
        of("psql", format!("PGPASSWORD={word} psql -h db -U postgres"), &word),
        of("flag", format!("server --port 80 --api-key {opaque} --verbose"), &opaque),
        of("flag of a word", format!("server --password {word} --verbose"), &word),
        of("openssl", format!("openssl rsa -passin pass:{word} -in key.pem"), &word),
        of("environment", format!("export SECRET_KEY={word}"), &word),
        of("environment, quoted", format!("DJANGO_SECRET_KEY='{word}'"), &word),
        of("environment of Rails", format!("SECRET_KEY_BASE={}", fake(HEX, 128, 12)), &fake(HEX, 128, 12)),
        of("docker -e", format!("docker run -e DB_PASSWORD={word} -p 80:80 web"), &word),
        of("YAML", format!("db:\n  host: db\n  password: {word}\n  port: 5432"), &word),
        of("YAML passphrase", format!("passphrase: {word}"), &word),
        of("YAML block", format!("password: |\n  {word}\nuser: bob"), &word),
        of("Kubernetes", format!("- name: DB_PASSWORD\n  value: {word}"), &word),
        of("ECS task", format!("{{\"name\":\"DB_PASSWORD\",\"value\":\"{word}\"}}"), &word),
        of("INI", format!("[client]\nuser = root\npassword = {word}"), &word),
        of("TOML", format!("api_key = \"{word}\""), &word),
        of("properties", format!("spring.datasource.password={word}"), &word),
        of("netrc", format!("machine example.org login bob password {word}"), &word),
        of("Python keyword", format!("connect(host='db', user='bob', password='{word}')"), &word),
        of("Python dictionary", format!("{{'user': 'bob', 'pwd': '{word}', 'n': 1}}"), &word),
        of("Python bytes", format!("[(b'host', b'x'), (b'authorization', b'Bearer {opaque}')]"), &opaque),
        of("Python annotation", format!("    client_secret: str = \"{word}\""), &word),
        of("Ruby", format!("{{:password=>\"{word}\", :user=>\"bob\"}}"), &word),
        of("PHP", format!("['password' => '{word}']"), &word),
        of("Go address", format!("bob:{word}@tcp(127.0.0.1:3306)/shop?parseTime=true"), &word),
        of("JavaScript", format!("const config = {{ user: 'bob', password: `{word}` }}"), &word),
        of("JSON", format!("{{\"user\":\"bob\",\"pwd\":\"{word}\",\"ok\":true}}"), &word),
        of("JSON with blanks", format!("{{ \"client_secret\" : \"{word}\" }}"), &word),
        of(
            "JSON in JSON",
            format!("{{\"level\":\"info\",\"msg\":\"body {{\\\"password\\\": \\\"{word}\\\"}}\"}}"),
            &word,
        ),
        of("JSON twice in JSON", format!("{{\"msg\":\"{{\\\\\\\"password\\\\\\\":\\\\\\\"{word}\\\\\\\"}}\"}}"), &word),
        of("JSON with codes", format!("{{\"\\u0070assword\":\"{word}\"}}"), &word),
        of("form", format!("user=bob&password={word}&remember=1"), &word),
        of("form in percent", format!("user%3Dbob%26password%3D{word}%26remember%3D1"), &word),
        of("JSON in percent", format!("%7B%22password%22%3A%22{word}%22%7D"), &word),
        of("query", format!("GET /reset?token={hex}&next=/home HTTP/1.1"), &hex),
        of("query, access_token", format!("https://api.example.org/v1/me?access_token={opaque}#top"), &opaque),
        of(
            "query, signature",
            format!(
                "https://b.s3.amazonaws.com/o?X-Amz-Credential=AKIA{}%2F20261130&X-Amz-Signature={}",
                fake(UPPER, 16, 13),
                fake(HEX, 64, 14)
            ),
            &fake(HEX, 64, 14),
        ),
        of("XML", format!("<credentials><user>bob</user><password>{word}</password></credentials>"), &word),
        of("XML attribute", format!("<add key=\"DbPassword\" value=\"{word}\" />"), &word),
        of("ADO connection", format!("Server=db,1433;Database=shop;User Id=sa;Password={word};Encrypt=True"), &word),
        of("ADO connection, Pwd", format!("Server=db;Uid=sa;Pwd={word}"), &word),
        of("JDBC", format!("jdbc:mysql://db:3306/shop?user=bob&password={word}"), &word),
        of(
            "Service Bus",
            format!(
                "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}=",
                fake(BASE64, 43, 15)
            ),
            &fake(BASE64, 43, 15),
        ),
        of("PostgreSQL address", format!("postgresql://shop:{word}@db:5432/shop"), &word),
        of("Redis address", format!("redis://:{word}@cache:6379/0"), &word),
        of("MongoDB address", format!("mongodb+srv://bob:{word}@cluster0.example.net/shop?w=majority"), &word),
        of("AMQP address", format!("amqp://bob:{word}@mq:5672/%2F"), &word),
        of("address with marks", format!("postgres://bob:p@ss/{word}@db/shop"), &word),
        of("address in JSON", format!("{{\"dsn\":\"https:\\/\\/bob:{word}@db\\/x\"}}"), &word),
        of("git remote", format!("https://x-access-token:{opaque}@github.com/o/r.git"), &opaque),
        of("Authorization", format!("Authorization: Bearer {opaque}"), &opaque),
        of("Authorization, Token", format!("Authorization: Token {opaque}"), &opaque),
        of(
            "Authorization, Basic",
            "Authorization: Basic Ym9iOmh1bnRlcjJodW50ZXIy".to_owned(),
            "Ym9iOmh1bnRlcjJodW50ZXIy",
        ),
        of(
            "Authorization in a log",
            format!("headers={{'Authorization': 'Bearer {opaque}', 'Accept': '*/*'}}"),
            &opaque,
        ),
        of("Authorization, Digest", format!("Authorization: Digest username=\"bob\", response=\"{hex}\""), &hex),
        of("bearer alone", format!("using bearer {opaque}"), &opaque),
        of("X-Api-Key", format!("X-Api-Key: {word}"), &word),
        of("X-Auth-Token", format!("x-auth-token: {opaque}"), &opaque),
        of("Cookie", format!("Cookie: sid={hex}; theme=dark"), &hex),
        of("Set-Cookie", format!("Set-Cookie: session={opaque}; Path=/; HttpOnly"), &opaque),
        of("SQL identified", format!("CREATE USER 'bob'@'%' IDENTIFIED BY '{word}'"), &word),
        of("SQL password", format!("ALTER ROLE bob WITH LOGIN PASSWORD '{word}'"), &word),
        of("SQL condition", format!("SELECT id FROM users WHERE name = 'bob' AND password = '{word}'"), &word),
        of("SQL update", format!("UPDATE users SET api_key='{word}' WHERE id = 1"), &word),
        of("call", format!("client.login(\"bob\", \"{word}\")"), &word),
        of("basic authentication", format!("HTTPBasicAuth('bob', '{word}')"), &word),
        of("setter", format!("builder.setPassword(\"{word}\")"), &word),
        of("prose", format!("invalid token {opaque} for user bob"), &opaque),
        of("prose, password", "the password is tr0ub4dor3x for now".to_owned(), "tr0ub4dor3x"),
        of("HTML", format!("&quot;password&quot;:&quot;{word}&quot;"), &word),
        of("SQL insert", format!("INSERT INTO users (name, password) VALUES ('bob', '{word}')"), &word),
        of(
            "SQL insert of rows",
            format!("insert into \"users\" (\"id\",\"api_key\")\nvalues (1, NULL), (2, '{opaque}') returning id"),
            &opaque,
        ),
        of(
            "SQL insert with parameters",
            format!("INSERT INTO users (name, password) VALUES (%s, %s) [generated in 0.0001s] ('bob', '{word}')"),
            &word,
        ),
        of("SQL update of more", format!("UPDATE users SET name = 'bob', password = '{word}' WHERE id = 1"), &word),
        of("SQL function", format!("SELECT 1 FROM users WHERE password = crypt('{word}', password)"), &word),
        of("prompt", format!("[sudo] password for bob: {word}"), &word),
        of("prompt and the next line", format!("Password:\n{word}"), &word),
        of("prompt of a key", format!("Enter passphrase for key '/root/.ssh/id_rsa':\n{word}"), &word),
        of("value on the next line", format!("api_key:\n{opaque}"), &opaque),
        of("wrapped value", format!("api_key={}\n{}", fake(ALNUM, 40, 19), fake(ALNUM, 30, 20)), &fake(ALNUM, 30, 20)),
        of(
            "wrapped header",
            format!("Authorization: Bearer {}\n{}", fake(URL, 60, 21), fake(URL, 40, 22)),
            &fake(URL, 40, 22),
        ),
        of("hexadecimal digits", format!("body={}", hex_of(&format!("password={word}"))), &hex_of(&word)),
        of("GitHub App token", format!("token v1.{}", fake(HEX, 40, 23)), &fake(HEX, 40, 23)),
        of("Pulumi environment", format!("PULUMI_ACCESS_TOKEN=pul-{}", fake(HEX, 40, 24)), &fake(HEX, 40, 24)),
        of("kubeconfig", format!("users:\n- name: admin\n  user:\n    token: {opaque}"), &opaque),
        of(
            "Docker's config",
            format!("{{\"auths\":{{\"x.io\":{{\"auth\":\"{}\"}}}}}}", encode(format!("bob:{word}").as_bytes())),
            &encode(format!("bob:{word}").as_bytes()),
        ),
        of(".npmrc", format!("//registry.npmjs.org/:_authToken={id}"), &id),
        of(".pypirc", format!("[pypi]\nusername = __token__\npassword = {word}"), &word),
        of("htpasswd", format!("htpasswd -b /etc/users bob {word}"), &word),
        of("git credentials", format!("protocol=https\nhost=example.org\nusername=bob\npassword={word}"), &word),
        of("ssh-add", format!("SSH_ASKPASS_PASSWORD={word}"), &word),
        of("GraphQL", format!("mutation {{ login(email: \"b@x\", password: \"{word}\") {{ id }} }}"), &word),
        of("multipart", format!("Content-Disposition: form-data; name=\"password\"\r\n\r\n{word}\r\n--b"), &word),
        of("SOAP", format!("<wsse:Password Type=\"x#PasswordText\">{word}</wsse:Password>"), &word),
        of("LDAP entry", format!("userPassword: {word}"), &word),
        of("JSON list of pairs", format!("[[\"user\",\"bob\"],[\"password\",\"{word}\"]]"), &word),
        of("camel case", format!("dbPassword={word}"), &word),
        of("assignment with blanks", format!("password   =   {word}"), &word),
        of("two lines", format!("key: ghp_{}\n{}", fake(ALNUM, 20, 16), fake(ALNUM, 16, 17)), &fake(ALNUM, 16, 17)),
    ];
    // One level of base64.
    for (kind, inner) in [
        ("base64 of an assignment", format!("password={word}&user=bob")),
        ("base64 of JSON", format!("{{\"client_secret\":\"{word}\"}}")),
        ("base64 of a token", format!("ghp_{}", fake(ALNUM, 36, 18))),
        ("base64 of an address", format!("postgresql://shop:{word}@db/shop")),
    ] {
        let encoded = encode(inner.as_bytes());
        let bare = encoded.trim_end_matches('=').to_owned();
        all.push((kind, format!("payload={encoded}"), bare.clone()));
        all.push((
            kind,
            format!("payload {} end", bare.replace('+', "-").replace('/', "_")),
            bare.replace('+', "-").replace('/', "_"),
        ));
    }
    all
}

/// Hexadecimal digits of a text.
fn hex_of(text: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

/// Base64, so that this file needs no crate.
fn encode(bytes: &[u8]) -> String {
    let set: Vec<char> = BASE64.chars().collect();
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let at = usize::try_from(n >> (18 - 6 * i) & 63).expect("6 bits");
            out.push(if i > chunk.len() { '=' } else { set[at] });
        }
    }
    out
}

/// Everything that must not leave.
pub(crate) fn secrets() -> Vec<Planted> {
    let tokens = tokens().into_iter().map(|(kind, secret)| Planted { kind, text: secret.clone(), secret });
    tokens.chain(in_context().into_iter().map(|(kind, text, secret)| Planted { kind, text, secret })).collect()
}
