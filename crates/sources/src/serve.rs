//! Serves a router so that slow or many connections do no harm: HTTP/1, and HTTP/2 without TLS, on one port.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The connection that a request came over. In the extensions of every request of [`serve`].
#[derive(Clone, Debug)]
pub struct Connection {
    pub peer: SocketAddr,
    pub local: SocketAddr,
    /// The id of the user whose process is the peer, once it was asked for; `None` if it could not be found.
    pub user: Arc<OnceLock<Option<u32>>>,
}

/// How much time and memory a client may take.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// From connecting to the end of the first request's head.
    first_head: Duration,
    /// The same for later requests, including the pause before them: SDKs send about once a minute.
    next_head: Duration,
    /// For requests in progress when the server stops.
    ending: Duration,
    connections: usize,
}

const BOUNDS: Bounds = Bounds {
    first_head: Duration::from_secs(10),
    next_head: Duration::from_secs(75),
    ending: Duration::from_secs(3),
    connections: 2048,
};

/// Buffer of one HTTP/1 connection for an incomplete head.
const LARGEST_HEAD: usize = 64 * 1024;

/// Serves until the token is cancelled; then requests in progress have three seconds.
///
/// A connection that sent nothing for ten seconds is closed, and so are connections beyond 2,048.
pub async fn serve(listener: TcpListener, router: Router, token: CancellationToken) {
    serve_within(listener, router, token, BOUNDS).await;
}

async fn serve_within(listener: TcpListener, router: Router, token: CancellationToken, bounds: Bounds) {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(bounds.next_head).max_buf_size(LARGEST_HEAD);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    let http = Arc::new(http);
    let places = Arc::new(Semaphore::new(bounds.connections));
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
                // "Too many open files" may pass; without a pause the loop would use a whole core meanwhile.
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::debug!(limit = bounds.connections, "a connection was closed: too many are open");
            continue;
        };
        let (http, router, token) = (Arc::clone(&http), router.clone(), token.clone());
        connections.spawn(async move {
            connection(&http, stream, peer, router, &token, bounds).await;
            drop(place);
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(
    http: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    token: &CancellationToken,
    bounds: Bounds,
) {
    // Without it small answers are delayed, which is no reason to refuse the connection.
    stream.set_nodelay(true).ok();
    let asked = Arc::new(Notify::new());
    // It fails if the connection is already closed.
    let Ok(local) = stream.local_addr() else { return };
    let ends = Connection { peer, local, user: Arc::default() };
    let service = HeadSeen { inner: TowerToHyperService::new(router), asked: Arc::clone(&asked), ends };
    let mut served = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    let nothing_asked = async {
        // The reader's own time-out starts only when the HTTP version is known.
        if timeout(bounds.first_head, asked.notified()).await.is_ok() {
            pending::<()>().await;
        }
    };
    tokio::select! {
        _ = served.as_mut() => return,
        () = nothing_asked => return,
        () = token.cancelled() => {}
    }
    served.as_mut().graceful_shutdown();
    // Whether it ended or ran out of time, the connection is dropped.
    timeout(bounds.ending, served).await.ok();
}

/// Reports when a request's head was complete, and says which connection it came over.
struct HeadSeen {
    inner: TowerToHyperService<Router>,
    asked: Arc<Notify>,
    ends: Connection,
}

impl hyper::service::Service<Request<Incoming>> for HeadSeen {
    type Response = <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Response;
    type Error = <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Error;
    type Future = <TowerToHyperService<Router> as hyper::service::Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: http::Request<Incoming>) -> Self::Future {
        self.asked.notify_one();
        request.extensions_mut().insert(self.ends.clone());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::testing::{http, read_answer};

    const SHORT: Bounds = Bounds {
        first_head: Duration::from_secs(3),
        next_head: Duration::from_millis(700),
        ending: Duration::from_millis(600),
        connections: 2048,
    };

    struct Door {
        addr: SocketAddr,
        token: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn door(bounds: Bounds) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("bound");
        let token = CancellationToken::new();
        let slowly = || async {
            sleep(Duration::from_millis(300)).await;
            "slow"
        };
        let never = || async { pending::<&'static str>().await };
        let router =
            Router::new().route("/", get(|| async { "in" })).route("/slow", get(slowly)).route("/never", get(never));
        let task = tokio::spawn(serve_within(listener, router, token.clone(), bounds));
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
    async fn connections_beyond_the_limit_are_closed() {
        let door = door(Bounds { connections: 2, first_head: Duration::from_millis(400), ..SHORT }).await;
        let mut first = connected(door.addr, b"").await;
        let _second = connected(door.addr, b"").await;
        let mut third = connected(door.addr, b"").await;
        assert!(closes_within(&mut third, Duration::from_millis(200)).await);
        assert!(closes_within(&mut first, Duration::from_secs(5)).await, "asked nothing");
        sleep(Duration::from_millis(100)).await;
        assert_eq!(ask(door.addr).await, 200, "there is room again");
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
