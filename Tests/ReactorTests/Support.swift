// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Reactor
import Testing

let anyPort = SocketAddress.ip(IPAddress(ipv4: 0x7F00_0001), port: 0)

/// Both ends of a Unix socket pair, non-blocking.
func socketPair() throws -> (Int32, Int32) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutablePointer(to: &ends) { pointer in
        // SAFETY: a tuple of two Int32 has the layout of the array that socketpair fills.
        unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) {
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            return unsafe socketpair(AF_UNIX, kind, 0, $0)
        }
    }
    try #require(result == 0)
    return ends
}

/// A connected pair of sockets: what a gateway accepts, and its client.
struct Link: ~Copyable {
    var server: Socket
    var client: Socket

    init(_ address: SocketAddress = anyPort) throws {
        let listener = try Listener(address, isShared: false)
        let client = try Socket.connect(to: listener.address)
        guard let server = listener.acceptSoon() else { throw SystemError("accept", number: 0) }
        self.server = server
        self.client = client
    }
}

extension Listener {
    /// The next connection, waited for.
    func acceptSoon() -> Socket? {
        guard readable(descriptor, withinMilliseconds: 2000) else { return nil }
        var peer = SocketAddress.none
        switch accept(from: &peer) {
        case .connection(let socket): return socket
        default: return nil
        }
    }

    /// What one call comes to, as a comparable value.
    func outcome() -> String {
        var peer = SocketAddress.none
        switch accept(from: &peer) {
        case .connection: return "connection"
        case .wouldBlock: return "wouldBlock"
        case .lost: return "lost"
        case .exhausted(let number): return "exhausted \(number)"
        case .failed(let number): return "failed \(number)"
        }
    }
}

private func wait(_ number: Int32, _ events: Int32, _ milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: number, events: Int16(events), revents: 0)
    return unsafe poll(&entry, 1, milliseconds) == 1
}

func readable(_ descriptor: borrowing Descriptor, withinMilliseconds time: Int32) -> Bool {
    wait(descriptor.rawValue, POLLIN, time)
}

func writable(_ descriptor: borrowing Descriptor, withinMilliseconds time: Int32) -> Bool {
    wait(descriptor.rawValue, POLLOUT, time)
}

extension Socket {
    /// Reads until something other than bytes comes, or `count` bytes are there.
    func receiveAll(_ count: Int = .max) -> (bytes: [UInt8], last: Transfer) {
        var pool = SlabPool(bound: 1)
        var buffer = Buffer()
        guard buffer.attach(from: &pool) else { return ([], .wouldBlock) }
        defer { buffer.release(to: &pool) }
        var bytes: [UInt8] = []
        while bytes.count < count, readable(descriptor, withinMilliseconds: 2000) {
            let result = receive(into: &buffer)
            guard case .bytes = result else { return (bytes, result) }
            bytes += buffer.readable.array
            buffer.clear()
        }
        return (bytes, .wouldBlock)
    }

    func send(text: String) -> Transfer {
        let bytes = Array(text.utf8)
        return send(bytes.span)
    }
}

/// A folder that is removed with all that is in it.
final class Folder {
    let path: String

    init() throws { path = try Files.makeTemporaryFolder(prefix: "agentport-test") }

    deinit {
        guard let folder = unsafe opendir(path) else { return }
        while let entry = unsafe readdir(folder) {
            // SAFETY: readdir gives a terminated name, valid until the next call.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            guard name != ".", name != ".." else { continue }
            Files.remove(path + "/" + name)
            Files.removeFolder(path + "/" + name)
        }
        unsafe closedir(folder)
        Files.removeFolder(path)
    }
}

func permissions(_ path: String) -> UInt32? {
    var facts = stat()
    guard unsafe stat(path, &facts) == 0 else { return nil }
    return facts.st_mode & 0o7777
}
