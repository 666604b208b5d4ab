// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// Where a socket is or goes: an IP address with a port, or a path.
package enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    case ip(IPAddress, port: UInt16)
    case unix(path: String)

    /// Nothing yet: filled in by an accept.
    package static let none = SocketAddress.unix(path: "")

    package var description: String {
        switch self {
        case .ip(let address, let port):
            address.isIPv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
        case .unix(let path):
            "unix:\(path)"
        }
    }

    /// An address literal, in brackets or not; names are the resolver's business.
    package init?(literal host: String, port: UInt16) {
        var text = host
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var v4 = in_addr()
        // SAFETY: inet_pton writes an address of the family's size, or nothing.
        if unsafe inet_pton(AF_INET, text, &v4) == 1 {
            self = .ip(IPAddress(ipv4: UInt32(bigEndian: v4.s_addr)), port: port)
            return
        }
        var v6 = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        self = unsafe .ip(Self.address(v6), port: port)
    }

    static func address(_ v6: in6_addr) -> IPAddress {
        // SAFETY: in6_addr is sixteen bytes in network order.
        unsafe withUnsafeBytes(of: v6) { bytes in
            IPAddress(bits: unsafe UInt128(bigEndian: bytes.loadUnaligned(as: UInt128.self)))
        }
    }

    /// Reads what the kernel filled in; an unknown family reads as the unspecified address.
    init(_ storage: sockaddr_storage) {
        var storage = storage
        // SAFETY: sockaddr_storage is large enough and aligned for each family's address.
        self = unsafe withUnsafePointer(to: &storage) { pointer in
            let raw = unsafe UnsafeRawPointer(pointer)
            switch Int32(unsafe pointer.pointee.ss_family) {
            case AF_INET:
                let v4 = unsafe raw.load(as: sockaddr_in.self)
                return .ip(
                    IPAddress(ipv4: UInt32(bigEndian: v4.sin_addr.s_addr)),
                    port: UInt16(bigEndian: v4.sin_port))
            case AF_INET6:
                let v6 = unsafe raw.load(as: sockaddr_in6.self)
                return unsafe .ip(
                    Self.address(v6.sin6_addr), port: UInt16(bigEndian: v6.sin6_port))
            default:
                return .unix(path: "")
            }
        }
    }

    /// The kernel's form and its size in bytes; `nil` for a path that is too long.
    func storage() -> (storage: sockaddr_storage, size: socklen_t)? {
        var storage = sockaddr_storage()
        switch self {
        case .ip(let address, let port) where address.isIPv4:
            let v4 = sockaddr_in(
                sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
                sin_addr: in_addr(s_addr: (address.ipv4 ?? 0).bigEndian),
                sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
            unsafe withUnsafeMutableBytes(of: &storage) { raw in
                unsafe raw.storeBytes(of: v4, as: sockaddr_in.self)
            }
            return (storage, socklen_t(MemoryLayout<sockaddr_in>.size))
        case .ip(let address, let port):
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &v6.sin6_addr) { raw in
                unsafe raw.storeBytes(of: address.bits.bigEndian, as: UInt128.self)
            }
            unsafe withUnsafeMutableBytes(of: &storage) { raw in
                unsafe raw.storeBytes(of: v6, as: sockaddr_in6.self)
            }
            return (storage, socklen_t(MemoryLayout<sockaddr_in6>.size))
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard !bytes.isEmpty, bytes.count < 108 else { return nil }
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe source.withMemoryRebound(to: CChar.self) { text in
                    guard let start = text.baseAddress else { return }
                    unsafe cl_fill_unix(&storage, start, bytes.count)
                }
            }
            return (storage, socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + 1))
        }
    }

    var family: Int32 {
        switch self {
        case .ip(let address, _): address.isIPv4 ? AF_INET : AF_INET6
        case .unix: AF_UNIX
        }
    }
}
