// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// Host names to addresses. Blocks (getaddrinfo), so it runs on a thread of its own.
package enum Resolver {
    package static func resolve(
        host: String, port: UInt16
    ) throws(ResolverFault) -> [SocketAddress] {
        if let literal = SocketAddress(literal: host, port: port) { return [literal] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        // SAFETY: getaddrinfo fills a list that freeaddrinfo gives back below.
        let result = unsafe getaddrinfo(host, nil, &hints, &list)
        guard result == 0 else {
            throw ResolverFault(reason: unsafe String(cString: gai_strerror(result)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var entry = unsafe list
        while let current = unsafe entry {
            if let raw = unsafe current.pointee.ai_addr,
                unsafe Int(current.pointee.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
            {
                var storage = sockaddr_storage()
                // SAFETY: ai_addrlen bytes are readable, and fit as checked.
                unsafe withUnsafeMutableBytes(of: &storage) {
                    unsafe $0.copyMemory(
                        from: UnsafeRawBufferPointer(
                            start: raw, count: Int(current.pointee.ai_addrlen)))
                }
                if case .ip(let address, _) = SocketAddress(storage) {
                    addresses.append(.ip(address, port: port))
                }
            }
            unsafe entry = current.pointee.ai_next
        }
        return addresses
    }
}

package struct ResolverFault: Error, CustomStringConvertible {
    package let reason: String
    package var description: String { reason }
}
