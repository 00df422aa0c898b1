//! Serves a router so that slow or many connections do no harm: HTTP/1, and HTTP/2 without TLS, on one port.

mod connections;
mod stream;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{self, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::connections::{Connection as Tracked, Connections};
use self::stream::{FirstBytes, Paced};
use crate::body::{self, Failure, Pace};
use crate::budget::{Budget, Purpose};
use crate::receive::Counters;
use crate::refusals;

/// The connection that a request came over. In the extensions of every request of [`serve`].
#[derive(Clone, Debug)]
pub struct Connection {
    pub peer: SocketAddr,
    pub local: SocketAddr,
    /// The id of the user whose process is the peer, once it was asked for; `None` if it could not be found.
    pub user: Arc<OnceLock<Option<u32>>>,
}

/// How much time a client may take.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// From connecting to the end of the first request's head.
    first_head: Duration,
    /// The same for later requests over HTTP/1, including the pause before them: SDKs send about once a minute.
    next_head: Duration,
    /// How long a connection may be without a request over HTTP/2, where a client opens it for long.
    idle: Duration,
    /// How slowly it may read answers.
    reading: Pace,
    /// For requests in progress when the server stops.
    ending: Duration,
}

const BOUNDS: Bounds = Bounds {
    first_head: Duration::from_secs(10),
    next_head: Duration::from_secs(75),
    idle: Duration::from_secs(600),
    reading: Pace { pause: Duration::from_secs(20), rate: 64 * 1024 },
    ending: Duration::from_secs(3),
};

/// Buffer of one HTTP/1 connection for an incomplete head.
const LARGEST_HEAD: usize = 64 * 1024;

/// What a client may send over one HTTP/2 connection before it is read, in bytes. On this machine, more is not faster.
const WINDOW: u32 = 128 * 1024;

/// How many requests one HTTP/2 connection may have at a time.
const STREAMS: u32 = 32;

/// Serves until the token is cancelled; then requests in progress have three seconds.
///
/// A connection that asks for nothing for ten seconds, or reads its answer too slowly, is closed. All servers of a
/// process have 512 connections together; a new one beyond these ends the one that does least. Streams of events count
/// apart: there are 32.
pub async fn serve(listener: TcpListener, router: Router, token: CancellationToken) {
    serve_within(listener, router, token, BOUNDS, Connections::shared(), None).await;
}

/// The same for a receiver, which counts what came to its port and is not HTTP.
pub async fn serve_receiver(
    listener: TcpListener,
    router: Router,
    token: CancellationToken,
    name: &'static str,
    counters: Arc<Counters>,
) {
    let watch = Some(Arc::new(Watch { name, counters }));
    serve_within(listener, router, token, BOUNDS, Connections::shared(), watch).await;
}

/// Where connections are counted that never became a request.
struct Watch {
    /// The receiver.
    name: &'static str,
    counters: Arc<Counters>,
}

impl Watch {
    fn not_http(&self, first: &[u8]) {
        if let Some(words) = refusals::foreign(first) {
            self.counters.refused_at(self.name, "TCP connection", format!("TCP {}: {words}", self.name));
        }
    }
}

/// Reads the body of a request, at most `limit` bytes, which count towards the memory of all requests until dropped.
///
/// # Errors
/// The status and text of the answer: too large, too slow, interrupted, or no memory for it now.
pub async fn receive(body: Body, limit: usize) -> Result<Bytes, (StatusCode, String)> {
    let received = body::receive(body, limit, body::Bounds::usual()).await;
    received.map_err(|failure| (failure.status, failure.message))
}

/// An answer that counts towards the memory of all requests until it is sent.
///
/// # Errors
/// The status and text of another answer, if there is no memory for it now.
pub async fn held(answer: Vec<u8>) -> Result<Bytes, (StatusCode, String)> {
    let budget = Budget::shared();
    // One that is larger than all others together may have all of it, so that it is sent alone.
    let bytes = answer.len().min(budget.limit(Purpose::Answer));
    match budget.take(Purpose::Answer, bytes).await {
        Ok(share) => Ok(share.hold(answer)),
        Err(busy) => {
            let failure = Failure::from(busy);
            Err((failure.status, failure.message))
        }
    }
}

/// Raises the number of files that this process may have open as far as it is allowed to: every connection is one, and
/// the usual limit of 1,024 is meant for programs that use `select`.
pub fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
        if let Err(error) = raised {
            tracing::debug!(%error, ?current, ?maximum, "the limit of open files could not be raised");
        }
    }
}

async fn serve_within(
    listener: TcpListener,
    router: Router,
    token: CancellationToken,
    bounds: Bounds,
    all: &'static Connections,
    watch: Option<Arc<Watch>>,
) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.next_head)
        .max_buf_size(LARGEST_HEAD)
        // A sender that does not wait for its answer has still sent a whole request. The window's port is without it:
        // there, a page that went away ends its stream of events.
        .half_close(watch.is_some());
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    let http = Arc::new(http);
    // Dropped with this future, which drops every connection.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = token.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            Ok((stream, peer)) => (stream, peer),
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                // "Too many open files" may pass, sooner with one connection less; without a pause the loop would use a
                // whole core meanwhile.
                all.end_one();
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let (http, router, token) = (Arc::clone(&http), router.clone(), token.clone());
        let (connection, watch) = (all.admit(), watch.clone());
        connections.spawn(async move {
            let first = serve_one(&http, stream, peer, router, &token, bounds, &connection).await;
            if let Some(watch) = watch.filter(|_| !connection.has_asked()) {
                watch.not_http(&first.get());
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Returns the first bytes that came.
async fn serve_one(
    http: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    token: &CancellationToken,
    bounds: Bounds,
    connection: &Arc<Tracked>,
) -> FirstBytes {
    let first = FirstBytes::default();
    // Without it small answers are delayed, which is no reason to refuse the connection.
    stream.set_nodelay(true).ok();
    // It fails if the connection is already closed.
    let Ok(local) = stream.local_addr() else { return first };
    let ends = Connection { peer, local, user: Arc::default() };
    let service = Watched { inner: TowerToHyperService::new(router), connection: Arc::clone(connection), ends };
    let stream = Paced::new(stream, Arc::clone(connection), bounds.reading, first.clone());
    let mut served = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let unused = async {
        // The reader's own time-out starts only when the HTTP version is known.
        if timeout(bounds.first_head, connection.asked()).await.is_ok() {
            connection.idle_for(bounds.idle).await;
        }
    };
    tokio::select! {
        _ = served.as_mut() => return first,
        () = unused => return first,
        () = connection.ended() => return first,
        () = token.cancelled() => {}
    }
    served.as_mut().graceful_shutdown();
    // Whether it ended or ran out of time, the connection is dropped.
    timeout(bounds.ending, served).await.ok();
    first
}

/// Reports the requests of a connection, and says which connection they came over.
struct Watched {
    inner: TowerToHyperService<Router>,
    connection: Arc<Tracked>,
    ends: Connection,
}

impl hyper::service::Service<Request<Incoming>> for Watched {
    type Response = Response;
    type Error = <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn call(&self, mut request: http::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.ends.clone());
        let running = self.connection.request();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            let kind = answer.headers().get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
            if kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
                running.streams();
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Instant;

    use axum::response::sse::{Event, Sse};
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::testing::{http, read_answer};

    const SHORT: Bounds = Bounds {
        first_head: Duration::from_secs(3),
        next_head: Duration::from_millis(700),
        idle: Duration::from_secs(60),
        reading: Pace { pause: Duration::from_millis(500), rate: 64 * 1024 },
        ending: Duration::from_millis(600),
    };

    struct Door {
        addr: SocketAddr,
        token: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn door(bounds: Bounds) -> Door {
        door_of(bounds, 2048).await
    }

    /// One with a limit of connections of its own.
    async fn door_of(bounds: Bounds, most: usize) -> Door {
        let all: &'static Connections = Box::leak(Box::new(Connections::new(most, 2)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let token = CancellationToken::new();
        let slowly = || async {
            sleep(Duration::from_millis(300)).await;
            "slow"
        };
        let never = || async { pending::<&'static str>().await };
        let events = || async { Sse::new(futures_util::stream::pending::<Result<Event, std::convert::Infallible>>()) };
        let router = Router::new()
            .route("/", get(|| async { "in" }).post(|body: axum::body::Bytes| async move { body.len().to_string() }))
            .route("/slow", get(slowly))
            .route("/never", get(never))
            .route("/events", get(events))
            .route("/large", get(|| async { vec![b'x'; 64 << 20] }));
        let task = tokio::spawn(serve_within(listener, router, token.clone(), bounds, all, None));
        Door { addr, token, task }
    }

    async fn connected(addr: SocketAddr, first: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(addr).await.expect("listening");
        stream.write_all(first).await.expect("sent");
        stream
    }

    /// Whether the peer closes within this time; what it sends before does not count.
    async fn closes_within(stream: &mut TcpStream, time: Duration) -> bool {
        let mut rest = Vec::new();
        timeout(time, stream.read_to_end(&mut rest)).await.is_ok()
    }

    async fn ask(addr: SocketAddr) -> u16 {
        http(addr, "GET / HTTP/1.1\r\nHost: a\r\n", b"").await.status
    }

    /// A thousand, or what this process may open: client and server need a file for each connection, and other tests
    /// need some.
    fn crowd() -> usize {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let files = limits.lines().find(|line| line.starts_with("Max open files"));
        let soft = files.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
        soft.map_or(300, |soft| (soft.saturating_sub(200) / 2).min(1000))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_thousand_incomplete_heads_block_nobody_and_are_closed() {
        let door = door(SHORT).await;
        // Half a head, a prefix of the HTTP/2 preface, and nothing at all.
        let beginnings: [&[u8]; 3] = [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", b"PRI * HT", b""];
        let mut slow = Vec::new();
        for n in 0..crowd() {
            slow.push(connected(door.addr, beginnings[n % 3]).await);
        }
        let before = Instant::now();
        assert_eq!(ask(door.addr).await, 200);
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        for stream in &mut slow {
            assert!(closes_within(stream, Duration::from_secs(5)).await);
        }
        assert_eq!(ask(door.addr).await, 200);
    }
    #[tokio::test]
    async fn a_connection_may_pause_between_requests_but_not_within_a_head() {
        let door = door(Bounds { first_head: Duration::from_millis(200), ..SHORT }).await;
        let mut stream = connected(door.addr, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        sleep(Duration::from_millis(400)).await;
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost").await.expect("still open");
        let mut answers = Vec::new();
        let closed = timeout(Duration::from_secs(5), stream.read_to_end(&mut answers)).await;
        assert!(closed.is_ok(), "the third head never came");
        let answers = String::from_utf8_lossy(&answers);
        assert!(answers.contains("in") && answers.contains("slow"), "{answers}");
    }

    #[tokio::test]
    async fn a_new_connection_beyond_the_limit_ends_the_one_that_does_least() {
        let door = door_of(SHORT, 3).await;
        let mut busy = connected(door.addr, b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut idle = connected(door.addr, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut half = connected(door.addr, b"GET / HTTP/1.1\r\nHo").await;
        sleep(Duration::from_millis(100)).await;
        assert_eq!(ask(door.addr).await, 200);
        assert!(closes_within(&mut half, Duration::from_millis(300)).await, "it has not even asked");
        let _more = [connected(door.addr, b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await];
        sleep(Duration::from_millis(50)).await;
        assert_eq!(ask(door.addr).await, 200);
        assert!(closes_within(&mut idle, Duration::from_millis(300)).await, "it asks no more");
        assert!(!closes_within(&mut busy, Duration::from_millis(100)).await, "its request is in progress");
    }

    #[tokio::test]
    async fn streams_of_events_are_kept_but_only_a_few() {
        let door = door_of(SHORT, 3).await;
        const EVENTS: &[u8] = b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(connected(door.addr, EVENTS).await);
            sleep(Duration::from_millis(50)).await;
        }
        assert!(closes_within(&mut streams[0], Duration::from_millis(300)).await, "the oldest of three");
        let mut slow = Vec::new();
        for _ in 0..10 {
            slow.push(connected(door.addr, b"GET / HTTP/1.1\r\nHo").await);
        }
        assert_eq!(ask(door.addr).await, 200);
        for stream in &mut streams[1..] {
            assert!(!closes_within(stream, Duration::from_millis(300)).await, "connections do not end it");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn bodies_that_drip_block_nobody() {
        let door = door_of(SHORT, 20).await;
        let mut slow = Vec::new();
        for _ in 0..60 {
            let head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx";
            slow.push(connected(door.addr, head).await);
        }
        for _ in 0..5 {
            let before = Instant::now();
            let answer = http(door.addr, "POST / HTTP/1.1\r\nHost: a\r\n", &[b'x'; 500]).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "500"));
            assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_is_dropped() {
        let door = door(SHORT).await;
        let mut stream = connected(door.addr, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
        sleep(Duration::from_millis(1500)).await;
        let mut read = Vec::new();
        timeout(Duration::from_secs(5), stream.read_to_end(&mut read)).await.expect("closed").ok();
        assert!(read.len() < 64 << 20, "{} bytes arrived", read.len());
        let whole = http(door.addr, "GET /large HTTP/1.1\r\nHost: a\r\n", b"").await;
        assert_eq!(whole.body.len(), 64 << 20, "whoever reads gets all");
    }

    #[tokio::test]
    async fn shutdown_waits_for_requests_in_progress() {
        let door = door(SHORT).await;
        let slow = connected(door.addr, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut never = connected(door.addr, b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut idle = connected(door.addr, b"").await;
        sleep(Duration::from_millis(100)).await;
        let before = Instant::now();
        door.token.cancel();
        assert!(closes_within(&mut idle, Duration::from_millis(300)).await, "nothing to wait for");
        assert_eq!(read_answer(slow).await.text(), "slow");
        timeout(Duration::from_secs(5), door.task).await.expect("in time").expect("no panic");
        assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
        assert!(closes_within(&mut never, Duration::from_millis(300)).await);
        assert!(TcpStream::connect(door.addr).await.is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn a_request_whose_sender_does_not_wait_for_the_answer_is_handled() {
        let all: &'static Connections = Box::leak(Box::new(Connections::new(8, 2)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        // It has closed before the server reads, so that the end comes with the request.
        drop(connected(addr, b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nsent").await);
        let (handled, mut bodies) = tokio::sync::mpsc::unbounded_channel();
        let slowly = move |body: Bytes| async move {
            sleep(Duration::from_millis(50)).await;
            handled.send(body).ok();
        };
        let router = Router::new().route("/in", axum::routing::post(slowly));
        let watch = Some(Arc::new(Watch { name: "http", counters: Arc::default() }));
        let served = tokio::spawn(serve_within(listener, router, CancellationToken::new(), SHORT, all, watch));
        let body = timeout(Duration::from_secs(2), bodies.recv()).await.expect("in time");
        assert_eq!(body.as_deref(), Some(&b"sent"[..]));
        served.abort();
    }

    #[tokio::test]
    async fn http2_without_tls_is_served_on_the_same_port() {
        let door = door(SHORT).await;
        let mut stream = connected(door.addr, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
        let mut head = [0; 9];
        timeout(Duration::from_secs(2), stream.read_exact(&mut head)).await.expect("in time").expect("an answer");
        assert_eq!(head[3], 4, "a SETTINGS frame comes first");
        assert_eq!(ask(door.addr).await, 200);
        assert!(closes_within(&mut stream, Duration::from_secs(5)).await, "it asked nothing either");
    }
}
