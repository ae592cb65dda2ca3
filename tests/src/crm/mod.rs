//! The services that take leads, as far as a caller can tell: each checks what it is sent as its documentation says the
//! real one does, and answers in its words. They share one HTTPS server and are told apart by their paths.

mod azure;
mod dynamics;
mod marketo;
mod salesforce;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;

use crate::{Answer, HttpsServer, Received};

/// What only the owner of a service knows, and what names it.
pub mod keys {
    /// Of the Azure storage account `contoso`.
    pub const ACCOUNT: &str = "c2VjcmV0IG9mIHRoZSBhY2NvdW50";
    /// The Entra directory.
    pub const DIRECTORY: &str = "7f0e0e0a-1111-4c3e-9d3b-0a6f1c2d3e4f";
    /// The application in it, which is a user of Dynamics 365.
    pub const APPLICATION: &str = "0b1c2d3e-2222-4f5a-8b6c-7d8e9f0a1b2c";
    /// The application's key.
    pub const APPLICATION_KEY: &str = "secret~of.the/application+key";
    /// The Marketo account.
    pub const MUNCHKIN: &str = "123-ABC-456";
    /// Its form.
    pub const FORM: &str = "1001";
    /// Its client.
    pub const CLIENT: &str = "client-of-marketo";
    /// The client's secret.
    pub const CLIENT_SECRET: &str = "secret&of=the client";
    /// The Salesforce organisation.
    pub const ORGANISATION: &str = "00D50000000IZ3Z";
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// For an access token.
    Token,
    /// That makes a table.
    Table,
    /// That brings a lead.
    Lead,
}

/// All of them.
pub struct Crm {
    /// Where they are.
    pub server: HttpsServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The leads that are kept: under their ids where the service knows a repeat, otherwise under their number.
    leads: BTreeMap<String, Value>,
    table: bool,
    /// Dynamics 365: the tokens that are good, each with the instance that it is for.
    tokens: BTreeSet<(String, String)>,
    /// How many tokens there were: Marketo gives the last one until it ends.
    issued: u32,
    scripts: HashMap<Call, VecDeque<Answer>>,
}

impl Crm {
    /// Starts them under `names` besides `localhost`.
    pub async fn start(names: &[&str]) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let server = HttpsServer::serving(names, move |call| {
            let mut state = shared.lock().expect("no panic holds it");
            // A connection that is kept would hide a name that has changed.
            state.answer(call).with("connection", "close")
        })
        .await?;
        Ok(Self { server, state })
    }

    /// The next calls of a kind are answered so, whatever is sent; nothing else is any more.
    pub fn says(&self, call: Call, answers: impl IntoIterator<Item = Answer>) {
        self.state().scripts = HashMap::from([(call, answers.into_iter().collect())]);
    }

    /// Every token is stale from now on.
    pub fn ends_tokens(&self) {
        let mut state = self.state();
        state.tokens.clear();
        state.issued += 1;
    }

    /// The leads that are kept.
    pub fn leads(&self) -> Vec<Value> {
        self.state().leads.values().cloned().collect()
    }

    /// How many calls of a kind came, whatever became of them.
    pub fn calls(&self, call: Call) -> usize {
        let received = self.server.received();
        received
            .iter()
            .filter(|one| kind(&one.path) == call)
            .count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds it")
    }
}

fn kind(path: &str) -> Call {
    match path {
        "/Tables" => Call::Table,
        _ if path.contains("/oauth") => Call::Token,
        _ => Call::Lead,
    }
}

impl State {
    fn answer(&mut self, call: &Received) -> Answer {
        let script = self.scripts.get_mut(&kind(&call.path));
        if let Some(answer) = script.and_then(VecDeque::pop_front) {
            return answer;
        }
        let path = call.path.as_str();
        if path == "/Tables" || path.starts_with("/MarketplaceLeads(") {
            self.azure(call)
        } else if path.ends_with("/oauth2/v2.0/token") {
            self.entra(call)
        } else if path.starts_with("/api/data/") {
            self.dynamics(call)
        } else if path.starts_with("/identity/") {
            self.marketo_identity(call)
        } else if path.starts_with("/rest/") {
            self.marketo(call)
        } else if path.starts_with("/servlet/") {
            self.salesforce(call)
        } else {
            self.endpoint(call)
        }
    }

    /// An endpoint of the publisher's own: takes what LD-6 says, and nothing else.
    fn endpoint(&mut self, call: &Received) -> Answer {
        let lead: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let names = |value: &Value| -> Vec<String> {
            let fields = value.as_object();
            fields.map_or_else(Vec::new, |fields| fields.keys().cloned().collect())
        };
        let outer = ["ActionCode", "LeadSource", "OfferTitle", "UserDetails"];
        let inner = [
            "Company",
            "Country",
            "Email",
            "FirstName",
            "LastName",
            "Phone",
            "Title",
        ];
        let well = call.method == "POST"
            && call.header("content-type") == "application/json"
            && names(&lead) == outer
            && names(&lead["UserDetails"]) == inner;
        if !well {
            return Answer::status(400);
        }
        self.keep(lead);
        Answer::status(200)
    }

    /// Keeps a lead of a service that doesn't know a repeat.
    fn keep(&mut self, lead: Value) {
        let number = self.leads.len();
        self.leads.insert(number.to_string(), lead);
    }
}
