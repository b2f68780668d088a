//! "The host" of the boot test: a small network stack behind the guest's `eth0`, with a DHCP client, an
//! IPv6 address that it makes itself (SLAAC), pings, TCP requests and a TCP server. Nothing here waits:
//! [`Host::poll`] moves everything on, and the other functions give the results.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{dhcpv4, icmp, tcp};
use smoltcp::time::{Duration as StackDuration, Instant as StackInstant};
use smoltcp::wire::{
    EthernetAddress, Icmpv4Message, Icmpv4Packet, Icmpv4Repr, Icmpv6Message, Icmpv6Packet,
    Icmpv6Repr, IpAddress, IpCidr, IpEndpoint, Ipv4Cidr, Ipv6Cidr,
};

use super::wire::Wire;

/// A locally administered address, for the host's end of the cable.
const HARDWARE_ADDRESS: EthernetAddress = EthernetAddress([0x02, 0x77, 0x69, 0x66, 0x69, 0x01]);
/// The address for its own link, as the hardware address makes it.
const LINK_ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x77, 0x69ff, 0xfe66, 0x6901);
/// Names the test's pings.
const PING: u16 = 0x7762;

/// The lease of the guest's DHCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The host's address and the length of its network's prefix.
    pub address: Ipv4Cidr,
    /// The default gateway.
    pub router: Option<Ipv4Addr>,
    /// Name servers.
    pub name_servers: Vec<Ipv4Addr>,
}

/// The host's network stack.
pub struct Host {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    dhcp: Option<SocketHandle>,
    lease: Option<Lease>,
    pings: SocketHandle,
    next_port: u16,
}

impl Host {
    /// A host on `wire`, with an address for this link only; it takes others when a router announces some.
    pub fn new(mut wire: Wire) -> Self {
        let mut config = Config::new(HARDWARE_ADDRESS.into());
        config.slaac = true;
        let mut interface = Interface::new(config, &mut wire, StackInstant::now());
        interface.update_ip_addrs(|list| {
            // The list is empty.
            let _ = list.push(IpCidr::Ipv6(Ipv6Cidr::new(LINK_ADDRESS, 64)));
        });
        let mut sockets = SocketSet::new(Vec::new());
        let buffer =
            || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; 16], vec![0; 4096]);
        let pings = sockets.add(icmp::Socket::new(buffer(), buffer()));
        // Binding fails for an open socket or identifier 0 only.
        let _ = sockets.get_mut::<icmp::Socket>(pings).bind(icmp::Endpoint::Ident(PING));
        Self { wire, interface, sockets, dhcp: None, lease: None, pings, next_port: 40_000 }
    }

    /// Asks for an address by DHCP from now on, eagerly: the guest is still booting.
    pub fn ask_for_address(&mut self) {
        let mut socket = dhcpv4::Socket::new();
        let mut retries = dhcpv4::RetryConfig::default();
        retries.discover_timeout = StackDuration::from_millis(500);
        retries.initial_request_timeout = StackDuration::from_millis(500);
        retries.min_renew_timeout = StackDuration::from_millis(500);
        retries.max_renew_timeout = StackDuration::from_secs(2);
        socket.set_retry_config(retries);
        // Renewed every few seconds, to see what the guest learns after the first lease.
        socket.set_max_lease_duration(Some(StackDuration::from_secs(4)));
        self.dhcp = Some(self.sockets.add(socket));
    }

    /// Takes a fixed address, without a way out.
    pub fn take_address(&mut self, address: Ipv4Cidr) {
        self.interface.update_ip_addrs(|list| {
            list.retain(|address| matches!(address, IpCidr::Ipv6(_)));
            // The list has room for four.
            let _ = list.push(IpCidr::Ipv4(address));
        });
    }

    /// Takes one more address, as if the Internet were here.
    pub fn add_address(&mut self, address: Ipv4Addr) {
        self.interface.update_ip_addrs(|list| {
            // The list has room for four.
            let _ = list.push(IpCidr::Ipv4(Ipv4Cidr::new(address, 32)));
        });
    }

    /// From now on notes what looks like new connections to the host's network.
    pub fn watch(&mut self) {
        self.wire.approaches = Some(Vec::new());
    }

    /// The connections noted since [`Host::watch`].
    pub fn approaches(&self) -> Vec<String> {
        self.wire.approaches.clone().unwrap_or_default()
    }

    /// The latest lease.
    pub fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// The IPv6 address that it made of what a router announced.
    pub fn address6(&self) -> Option<Ipv6Addr> {
        self.interface.ip_addrs().iter().find_map(|address| match address {
            IpCidr::Ipv6(own) if own.address() != LINK_ADDRESS => Some(own.address()),
            _ => None,
        })
    }

    /// The router that says that IPv6 leads on by it.
    pub fn router6(&self) -> Option<Ipv6Addr> {
        self.wire.router
    }

    /// Moves everything on; to be called every few milliseconds.
    pub fn poll(&mut self) {
        self.interface.poll(StackInstant::now(), &mut self.wire, &mut self.sockets);
        // smoltcp 0.14 takes no router by itself where it has one by IPv4.
        let routes = self.interface.routes_mut();
        let router = routes.get_default_ipv6_route().map(|route| route.via_router);
        if router != self.wire.router.map(IpAddress::Ipv6) {
            routes.remove_default_ipv6_route();
            if let Some(router) = self.wire.router {
                // The table has room for one of each.
                let _ = routes.add_default_ipv6_route(router);
            }
        }
        let Some(handle) = self.dhcp else { return };
        match self.sockets.get_mut::<dhcpv4::Socket>(handle).poll() {
            None => {}
            Some(dhcpv4::Event::Deconfigured) => self.lease = None,
            Some(dhcpv4::Event::Configured(config)) => {
                let lease = Lease {
                    address: config.address,
                    router: config.router,
                    name_servers: config.dns_servers.to_vec(),
                };
                self.take_address(lease.address);
                self.interface.routes_mut().remove_default_ipv4_route();
                if let Some(router) = lease.router {
                    // The table has room for one of each.
                    let _ = self.interface.routes_mut().add_default_ipv4_route(router);
                }
                self.lease = Some(lease);
            }
        }
    }

    /// Sends a ping.
    pub fn ping(&mut self, target: impl Into<IpAddress>, sequence: u16) {
        let (target, data, checksums) =
            (target.into(), b"wifibox", ChecksumCapabilities::default());
        let socket = self.sockets.get_mut::<icmp::Socket>(self.pings);
        // A full queue loses the ping, as a network may.
        match target {
            IpAddress::Ipv4(_) => {
                let packet = Icmpv4Repr::EchoRequest { ident: PING, seq_no: sequence, data };
                if let Ok(buffer) = socket.send(packet.buffer_len(), target) {
                    packet.emit(&mut Icmpv4Packet::new_unchecked(buffer), &checksums);
                }
            }
            IpAddress::Ipv6(address) => {
                let packet = Icmpv6Repr::EchoRequest { ident: PING, seq_no: sequence, data };
                let own = self.interface.get_source_address_ipv6(&address);
                if let Ok(buffer) = socket.send(packet.buffer_len(), target) {
                    let mut buffer = Icmpv6Packet::new_unchecked(buffer);
                    packet.emit(&own, &address, &mut buffer, &checksums);
                }
            }
        }
    }

    /// How many answers came from `target` since the last call.
    pub fn answers(&mut self, target: impl Into<IpAddress>) -> usize {
        let target = target.into();
        let socket = self.sockets.get_mut::<icmp::Socket>(self.pings);
        let mut count = 0;
        while let Ok((packet, from)) = socket.recv() {
            let reply = match from {
                IpAddress::Ipv4(_) => Icmpv4Packet::new_checked(packet)
                    .is_ok_and(|packet| packet.msg_type() == Icmpv4Message::EchoReply),
                IpAddress::Ipv6(_) => Icmpv6Packet::new_checked(packet)
                    .is_ok_and(|packet| packet.msg_type() == Icmpv6Message::EchoReply),
            };
            count += usize::from(reply && from == target);
        }
        count
    }

    /// Connects, and will send `request` and collect the answer.
    pub fn request(&mut self, target: (Ipv4Addr, u16), request: &[u8], limit: Duration) -> Request {
        self.next_port = self.next_port.checked_add(1).unwrap_or(40_000);
        let mut socket = new_socket();
        let remote = (IpAddress::Ipv4(target.0), target.1);
        // Fails for impossible addresses only, and then the request ends unanswered.
        let _ = socket.connect(self.interface.context(), remote, self.next_port);
        Request {
            socket: self.sockets.add(socket),
            request: request.to_vec(),
            sent: 0,
            answer: Vec::new(),
            end: Instant::now() + limit,
        }
    }

    /// The state of `request`: `None` while it is under way, its answer once the other side has
    /// closed or `enough` of it is there, an error when it was refused or took too long.
    pub fn answer(
        &mut self,
        request: &mut Request,
        enough: impl Fn(&[u8]) -> bool,
    ) -> Option<Result<Vec<u8>, String>> {
        let socket = self.sockets.get_mut::<tcp::Socket>(request.socket);
        if socket.may_send()
            && let Some(rest) = request.request.get(request.sent..)
        {
            // As much as there is room for; the rest follows.
            request.sent += socket.send_slice(rest).unwrap_or(0);
        }
        while socket.can_recv() {
            let received = socket.recv(|bytes| {
                request.answer.extend_from_slice(bytes);
                (bytes.len(), ())
            });
            if received.is_err() {
                break;
            }
        }
        let sent = request.sent == request.request.len();
        let closed = !socket.may_recv() && socket.state() != tcp::State::SynSent;
        let result = if sent && (closed || enough(&request.answer)) {
            Ok(std::mem::take(&mut request.answer))
        } else if closed {
            Err("refused".to_owned())
        } else if Instant::now() > request.end {
            Err(format!("no more after {} bytes", request.answer.len()))
        } else {
            return None;
        };
        socket.abort();
        self.poll();
        self.sockets.remove(request.socket);
        Some(result)
    }

    /// Listens on `port`, ready to answer one connection at a time with `content`.
    pub fn serve(&mut self, port: u16, content: Vec<u8>) -> Server {
        let socket = self.sockets.add(new_socket());
        Server { socket, port, content, sent: 0, peers: Vec::new() }
    }

    /// Moves a server on: accepts, answers, hangs up, and listens again.
    pub fn attend(&mut self, server: &mut Server) {
        let socket = self.sockets.get_mut::<tcp::Socket>(server.socket);
        if !socket.is_open() {
            server.sent = 0;
            // Fails for port 0 and open sockets only.
            let _ = socket.listen(server.port);
            return;
        }
        if let Some(peer) = socket.remote_endpoint()
            && server.sent == 0
            && server.peers.last() != Some(&peer)
        {
            server.peers.push(peer);
        }
        // The request itself does not matter: whatever is asked, the answer is the content.
        if socket.can_recv() {
            let _ = socket.recv(|bytes| (bytes.len(), ()));
        }
        if socket.can_send()
            && let Some(rest) = server.content.get(server.sent..)
            && !rest.is_empty()
            && let Ok(count) = socket.send_slice(rest)
        {
            server.sent += count;
        }
        if server.sent == server.content.len() && socket.may_send() {
            socket.close();
        }
    }
}

/// A TCP request under way.
pub struct Request {
    socket: SocketHandle,
    request: Vec<u8>,
    sent: usize,
    answer: Vec<u8>,
    end: Instant,
}

/// A TCP server.
pub struct Server {
    socket: SocketHandle,
    port: u16,
    content: Vec<u8>,
    sent: usize,
    /// Who connected, in order.
    pub peers: Vec<IpEndpoint>,
}

fn new_socket() -> tcp::Socket<'static> {
    let buffer = |size| tcp::SocketBuffer::new(vec![0; size]);
    tcp::Socket::new(buffer(65_536), buffer(65_536))
}
