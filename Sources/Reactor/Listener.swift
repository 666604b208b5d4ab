// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// What one call to ``Listener/accept(from:)`` came to.
package enum Accepted: ~Copyable {
    case connection(Socket)
    case wouldBlock
    /// The connection was gone before it was accepted, or the network had a passing fault
    /// (accept(2), "Error handling"): try the next one.
    case lost
    /// No descriptor or memory left: stop accepting for a while, or the loop spins.
    case exhausted(Int32)
    case failed(Int32)
}

/// A listening socket. Each worker has its own on the same address (`SO_REUSEPORT`), so that the
/// kernel spreads connections evenly and workers share nothing.
package struct Listener: ~Copyable {
    package static let backlog: Int32 = 4096

    package let descriptor: Descriptor
    /// With the port that the kernel chose, where 0 was asked for.
    package let address: SocketAddress

    package init(_ address: SocketAddress, isShared: Bool) throws(SystemError) {
        let descriptor = try Self.bound(to: address, isShared: isShared)
        let number = descriptor.rawValue
        // Before there is anyone to connect: the owner alone may.
        if case .unix(let path) = address, unsafe chmod(path, 0o600) != 0 {
            throw SystemError("chmod")
        }
        guard listen(number, Self.backlog) == 0 else { throw SystemError("listen") }
        var local = sockaddr_storage()
        if case .ip = address, unsafe cl_getsockname(number, &local) == 0 {
            self.address = SocketAddress(local)
        } else {
            self.address = address
        }
        self.descriptor = descriptor
    }

    /// Fails where another process listens there, sharing its port or not. Nothing listens for it,
    /// so that no early client is taken in and dropped.
    package static func checkFree(_ address: SocketAddress) throws(SystemError) {
        _ = try bound(to: address, isShared: false)
    }

    private static func bound(
        to address: SocketAddress, isShared: Bool
    ) throws(SystemError) -> Descriptor {
        guard let (storage, size) = address.storage() else {
            throw SystemError("bind", number: ENAMETOOLONG)
        }
        var bound = storage
        let number = cl_socket_stream(address.family)
        guard number >= 0 else { throw SystemError("socket") }
        let descriptor = Descriptor(owning: number)
        if case .unix(let path) = address {
            // What another process has left behind goes; where it answers still, nothing does.
            if (try? Socket.connect(to: address)) != nil {
                throw SystemError("bind", number: EADDRINUSE)
            }
            unsafe unlink(path)
        } else {
            _ = cl_set_option(number, SOL_SOCKET, SO_REUSEADDR, 1)
            Socket.prepare(number)
            if isShared { _ = cl_set_option(number, SOL_SOCKET, SO_REUSEPORT, 1) }
            if address.family == AF_INET6 {
                // `[::]` takes IPv4 clients too, as operators expect of it.
                _ = cl_set_option(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0)
            }
        }
        guard unsafe cl_bind(number, &bound, size) == 0 else { throw SystemError("bind") }
        return descriptor
    }

    /// - Parameter peer: set where there is a connection.
    package func accept(from peer: inout SocketAddress) -> Accepted {
        var storage = sockaddr_storage()
        let number = unsafe cl_accept(descriptor.rawValue, &storage)
        if number >= 0 {
            // What was set for the listener holds for the connection, too.
            peer = SocketAddress(storage)
            return .connection(Socket(Descriptor(owning: number)))
        }
        let reason = cl_errno()
        switch reason {
        case EAGAIN: return .wouldBlock
        case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
            EOPNOTSUPP, ENETUNREACH, EPERM, ETIMEDOUT:
            return .lost
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted(reason)
        default: return .failed(reason)
        }
    }
}
