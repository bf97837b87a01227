//! The connection pool is a party to every change: what can fail, opening connections, is done before readers see the change.

use crate::{PoolSettings, Settings};
use flux::change::{Change, Party};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::Semaphore,
};

/// Clones are the same pool: the capacitor holds one, the request handlers another.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<Option<Arc<Connections>>>>);

/// The connections of one configuration. They live until the last request that uses them is over.
pub struct Connections {
    settings: PoolSettings,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Party<Settings> for Pool {
    /// None where the change is not about the pool.
    type Prepared = Option<Arc<Connections>>;
    type Error = io::Error;

    async fn prepare(&self, change: &Change<Settings>) -> io::Result<Self::Prepared> {
        let wanted = &change.current.pool;
        if self
            .connections()
            .is_some_and(|now| now.settings == *wanted)
        {
            return Ok(None);
        }
        Ok(Some(Arc::new(Connections::open(wanted).await?)))
    }

    fn commit(&self, prepared: Self::Prepared) {
        if let Some(connections) = prepared {
            tracing::info!(size = connections.settings.size, "the pool is resized");
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connections);
        }
    }

    /// Another party refused the change: what was opened for it is closed.
    fn rollback(&self, prepared: Self::Prepared) {
        if let Some(connections) = prepared {
            let closed = connections.settings.size;
            drop(connections);
            tracing::info!(closed, "connections were opened in vain");
        }
    }
}

impl Pool {
    fn connections(&self) -> Option<Arc<Connections>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks the database, over whichever connection is free first.
    pub async fn ask(&self, question: &str) -> io::Result<String> {
        let connections = self.connections().ok_or(io::ErrorKind::NotConnected)?;
        connections.ask(question).await
    }
}

impl Connections {
    async fn open(settings: &PoolSettings) -> io::Result<Self> {
        let mut idle = Vec::new();
        for _ in 0..settings.size {
            idle.push(Connection::open(settings).await?);
        }
        Ok(Connections {
            settings: settings.clone(),
            permits: Semaphore::new(idle.len()),
            idle: Mutex::new(idle),
        })
    }

    async fn ask(&self, question: &str) -> io::Result<String> {
        let _permit = self.permits.acquire().await.map_err(io::Error::other)?;
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let free = idle().pop();
        let mut connection = match free {
            Some(connection) => connection,
            // One that broke is not put back.
            None => Connection::open(&self.settings).await?,
        };
        let answer = connection.ask(question).await?;
        idle().push(connection);
        Ok(answer)
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(settings: &PoolSettings) -> io::Result<Self> {
        let database = settings.database;
        let said = |error: String| io::Error::other(format!("the database at {database}: {error}"));
        let stream = TcpStream::connect(database)
            .await
            .map_err(|error| said(error.to_string()))?;
        let mut connection = Connection(BufReader::new(stream));
        match connection.ask(&settings.password).await?.as_str() {
            "welcome" => Ok(connection),
            refused => Err(said(refused.to_owned())),
        }
    }

    async fn ask(&mut self, question: &str) -> io::Result<String> {
        let mut answer = String::new();
        self.0.write_all(format!("{question}\n").as_bytes()).await?;
        match self.0.read_line(&mut answer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(answer.trim_end().to_owned()),
        }
    }
}
