use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError,
    RedisResult, TlsMode, Value,
};
use tokio::sync::Mutex;

use crate::{Address, Error, Mode, Result};

/// How Redis is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is; see [`Address`].
    pub url: String,
    /// How long an answer is waited for.
    pub response_timeout: Duration,
    /// How long a connection is waited for.
    pub connect_timeout: Duration,
}

impl Settings {
    /// The defaults for Redis at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Settings {
            url: url.into(),
            response_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
        }
    }

    fn connection(&self, response_timeout: Duration) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_response_timeout(Some(response_timeout))
            .set_connection_timeout(Some(self.connect_timeout))
    }

    /// How long an answer is waited for that may block.
    fn of_blocking(&self) -> Duration {
        self.response_timeout.max(LONGEST_BLOCK * 2)
    }
}

/// A connection ends when the other side leaves unanswered what it was sent, or a sign of life: a machine that went away
/// says nothing at all, and a call that is given up leaves its connection as it is.
fn tcp() -> TcpSettings {
    let signs_of_life =
        TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(5));
    TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(signs_of_life)
        .set_user_timeout(Duration::from_secs(15))
}

/// Redis: a cheap handle.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    settings: Settings,
    link: Link,
}

#[expect(clippy::large_enum_variant, reason = "there is one of it, behind an `Arc`")]
enum Link {
    Single { client: Client, connection: ConnectionManager },
    Cluster { client: ClusterClient, connection: ClusterConnection },
    Sentinel(Box<Mutex<Behind>>),
}

/// The primary behind sentinels: asked for anew whenever a call fails in a way that another primary may explain.
struct Behind {
    client: SentinelClient,
    connection: Option<MultiplexedConnection>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("address", &self.inner.address.shown()).finish()
    }
}

/// A connection of one's own, for calls that block.
pub struct Dedicated {
    connection: Box<dyn ConnectionLike + Send + Sync>,
    target: String,
}

impl Redis {
    /// Connects. A server that cannot be reached is an error here; one that goes away later is waited for, call by
    /// call.
    pub async fn open(settings: Settings) -> Result<Self> {
        let address: Address = settings.url.parse()?;
        let failed = |source| Error::Unavailable { target: address.shown().to_owned(), source };
        let link = match &address.mode {
            Mode::Single => single(&address, &settings).await.map_err(failed)?,
            Mode::Cluster => cluster(&address, &settings).await.map_err(failed)?,
            Mode::Sentinel { primary } => sentinel(&address, primary).map_err(failed)?,
        };
        let redis = Redis { inner: Arc::new(Inner { address, settings, link }) };
        redis.run::<()>(redis::cmd("PING").arg("ordermill")).await.map(|()| redis)
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// Runs one command.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T> {
        let answer = match &self.inner.link {
            Link::Single { connection, .. } => connection.clone().req_packed_command(command).await,
            Link::Cluster { connection, .. } => connection.clone().req_packed_command(command).await,
            Link::Sentinel(behind) => {
                let mut connection = self.primary(behind).await?;
                let answer = connection.req_packed_command(command).await;
                self.forget_primary_after(behind, &answer).await;
                answer
            }
        };
        self.read(answer)
    }

    /// Runs commands one after the other, sent together; in a cluster they must share a hash tag.
    pub async fn run_all<T: FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T> {
        let answer = match &self.inner.link {
            Link::Single { connection, .. } => pipeline.query_async(&mut connection.clone()).await,
            Link::Cluster { connection, .. } => pipeline.query_async(&mut connection.clone()).await,
            Link::Sentinel(behind) => {
                let mut connection = self.primary(behind).await?;
                let answer: RedisResult<Value> = pipeline.query_async(&mut connection).await;
                self.forget_primary_after(behind, &answer).await;
                return self.read(answer);
            }
        };
        answer.map_err(|error| self.error(error))
    }

    /// A connection of one's own, for reads that block for up to [`LONGEST_BLOCK`].
    pub async fn dedicated(&self) -> Result<Dedicated> {
        let patient = self.inner.settings.connection(self.inner.settings.of_blocking());
        let connection: RedisResult<Box<dyn ConnectionLike + Send + Sync>> = match &self.inner.link {
            Link::Single { client, .. } => client
                .get_multiplexed_async_connection_with_config(&patient)
                .await
                .map(|one| Box::new(one) as _),
            Link::Cluster { client, .. } => client.get_async_connection().await.map(|one| Box::new(one) as _),
            Link::Sentinel(behind) => behind
                .lock()
                .await
                .client
                .get_async_connection_with_config(&patient)
                .await
                .map(|one| Box::new(one) as _),
        };
        let connection = connection.map_err(|error| self.error(error))?;
        Ok(Dedicated { connection, target: self.inner.address.shown().to_owned() })
    }

    /// How long an answer is waited for, at most.
    pub fn response_timeout(&self) -> Duration {
        self.inner.settings.response_timeout
    }

    pub(crate) async fn info_text(&self) -> Result<String> {
        self.node_text(&redis::cmd("INFO")).await
    }

    /// What one server says; of a cluster, one of its nodes.
    pub(crate) async fn node_text(&self, command: &Cmd) -> Result<String> {
        match &self.inner.link {
            Link::Cluster { connection, .. } => {
                let routing = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
                self.read(connection.clone().route_command(command.clone(), routing).await)
            }
            _ => self.run(command).await,
        }
    }

    async fn primary(&self, behind: &Mutex<Behind>) -> Result<MultiplexedConnection> {
        let mut behind = behind.lock().await;
        if let Some(connection) = &behind.connection {
            return Ok(connection.clone());
        }
        let config = self.inner.settings.connection(self.response_timeout());
        // Its type is hidden: looked into all the way, it is too deep for futures that are built upon this one.
        let connecting: Pin<Box<dyn Future<Output = _> + Send + '_>> =
            Box::pin(behind.client.get_async_connection_with_config(&config));
        let connection = connecting.await.map_err(|error| self.error(error))?;
        behind.connection = Some(connection.clone());
        Ok(connection)
    }

    async fn forget_primary_after(&self, behind: &Mutex<Behind>, answer: &RedisResult<Value>) {
        if let Err(error) = answer
            && self.error(error.clone()).is_passing()
        {
            behind.lock().await.connection = None;
        }
    }

    fn read<T: FromRedisValue>(&self, answer: RedisResult<Value>) -> Result<T> {
        let value = answer.and_then(Value::extract_error).map_err(|error| self.error(error))?;
        T::from_redis_value(value).map_err(|error| self.error(RedisError::from(error)))
    }

    fn error(&self, error: RedisError) -> Error {
        Error::of(self.inner.address.shown(), error)
    }
}

impl Dedicated {
    /// Runs one command, for as long as it takes.
    pub async fn run<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T> {
        let answer = self.connection.req_packed_command(command).await.and_then(Value::extract_error);
        answer
            .and_then(|value| T::from_redis_value(value).map_err(RedisError::from))
            .map_err(|error| Error::of(&self.target, error))
    }
}

async fn single(address: &Address, settings: &Settings) -> RedisResult<Link> {
    let to = address.nodes[0].clone().into_connection_info()?.set_tcp_settings(tcp());
    let client = Client::open(to)?;
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(settings.response_timeout))
        .set_connection_timeout(Some(settings.connect_timeout))
        .set_number_of_retries(4)
        .set_min_delay(Duration::from_millis(50))
        .set_max_delay(Duration::from_secs(1));
    let connection = ConnectionManager::new_with_config(client.clone(), config).await?;
    Ok(Link::Single { client, connection })
}

/// For how long a read may block at most, so that it ends before its answer is given up.
pub const LONGEST_BLOCK: Duration = Duration::from_secs(2);

async fn cluster(address: &Address, settings: &Settings) -> RedisResult<Link> {
    let client = ClusterClientBuilder::new(address.nodes.clone())
        .connection_timeout(settings.connect_timeout)
        // Its connections know one timeout only.
        .response_timeout(settings.of_blocking())
        .tcp_settings(tcp())
        .retries(6)
        .min_retry_wait(50)
        .max_retry_wait(1_000)
        .build()?;
    let connection = client.get_async_connection().await?;
    Ok(Link::Cluster { client, connection })
}

fn sentinel(address: &Address, primary: &str) -> RedisResult<Link> {
    let nodes = address
        .nodes
        .iter()
        .map(|node| node.clone().into_connection_info().map(|info| info.set_tcp_settings(tcp())))
        .collect::<RedisResult<Vec<_>>>()?;
    let settings = nodes[0].redis_settings().clone();
    let mut to_primary =
        SentinelNodeConnectionInfo::default().set_redis_connection_info(settings).set_tcp_settings(tcp());
    if address.tls {
        to_primary = to_primary.set_tls_mode(TlsMode::Secure);
    }
    let client = SentinelClient::build(nodes, primary, Some(to_primary), SentinelServerType::Master)?;
    Ok(Link::Sentinel(Box::new(Mutex::new(Behind { client, connection: None }))))
}
