//! Serves the development chain on this machine until it is stopped, and prints where.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use jsonrpsee::server::Server;
use pallet_revive::H160;
use tidelock_hub::{chain::Chain, rpc};

/// The accounts of development that have coins: those of the phrase that anvil and hardhat use too. Everybody knows their keys.
const ACCOUNTS: [&str; 10] = [
    "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
    "70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
    "90f79bf6eb2c4f870365e785982e1f101e93b906",
    "15d34aaf54267db7d7c367839aaf71a00a2c6a65",
    "9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
    "976ea74026e726554db657fa54763abd0c3a0aa9",
    "14dc79964da2c08b23698b3d3cc7ca32193d9955",
    "23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
    "a0ee7a142d267c1f36714e4a8f75612f20a79720",
];
/// Blocks after which the state can be read.
const REMEMBERED: usize = 300;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = match std::env::args().nth(1) {
        None => 0, // any that is free
        Some(port) => port.parse().map_err(|_| format!("{port}: not a port"))?,
    };
    let accounts = ACCOUNTS.map(|text| text.parse::<H160>().expect("an address"));
    let chain = Arc::new(Mutex::new(Chain::new(&accounts, REMEMBERED, None)));
    let server = Server::builder()
        .max_request_body_size(4 * 1024 * 1024) // creation code, in hexadecimal
        .build(SocketAddr::from(([127, 0, 0, 1], port)))
        .await?;
    println!("http://{}", server.local_addr()?);
    let serving = server.start(rpc::module(chain));
    tokio::signal::ctrl_c().await?;
    serving.stop()?;
    serving.stopped().await;
    Ok(())
}
