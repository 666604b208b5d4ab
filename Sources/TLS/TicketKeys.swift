// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Synchronization

/// The keys that session tickets are sealed with (RFC 5077 §4): one for new tickets, and the one
/// before it for tickets that are still about. All workers share them.
final class TicketKeys: Sendable {
    struct Key {
        var name = InlineArray<16, UInt8>(repeating: 0)
        var cipher = InlineArray<32, UInt8>(repeating: 0)
        var mac = InlineArray<32, UInt8>(repeating: 0)

        static func random() -> Key {
            var key = Key()
            // SAFETY: each array is filled over exactly its own size.
            unsafe withUnsafeMutableBytes(of: &key) { raw in
                _ = unsafe RAND_bytes(raw.baseAddress, Int32(raw.count))
            }
            return key
        }
    }

    private let keys = Mutex<(current: Key, previous: Key?)>((Key.random(), nil))

    /// The present key becomes the previous one; tickets of the one before can't resume any more.
    func rotate() {
        keys.withLock { $0 = (Key.random(), $0.current) }
    }

    /// What OpenSSL asks for when it seals (`sealing`) or opens a ticket.
    ///
    /// - Returns: 1 to go on, 2 to go on and issue a new ticket, 0 for an unknown key (the client
    ///   gets a full handshake), -1 on an internal fault.
    func prepare(
        name: UnsafeMutablePointer<UInt8>, iv: UnsafeMutablePointer<UInt8>,
        cipher: OpaquePointer, mac: OpaquePointer, sealing: Bool
    ) -> Int32 {
        let (current, previous) = keys.withLock { $0 }
        if sealing {
            for index in 0..<16 { unsafe name[index] = current.name[index] }
            guard unsafe RAND_bytes(iv, 16) == 1 else { return -1 }
            let isReady = unsafe initialize(
                current, iv: iv, cipher: cipher, mac: mac, sealing: true)
            return isReady ? 1 : -1
        }
        var key = current
        if unsafe !matches(current, name) {
            guard let previous, unsafe matches(previous, name) else { return 0 }
            key = previous
        }
        let isReady = unsafe initialize(key, iv: iv, cipher: cipher, mac: mac, sealing: false)
        // With a new ticket, whichever key the old one was sealed with: a client should use each
        // once (RFC 8446 §C.4), and many do.
        return isReady ? 2 : -1
    }

    private func matches(_ key: Key, _ name: UnsafeMutablePointer<UInt8>) -> Bool {
        for index in 0..<16 where unsafe name[index] != key.name[index] { return false }
        return true
    }

    private func initialize(
        _ key: Key, iv: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer, mac: OpaquePointer,
        sealing: Bool
    ) -> Bool {
        var key = key
        // SAFETY: the key's arrays outlive the calls, which copy what they need.
        let cipherReady = unsafe withUnsafePointer(to: &key.cipher) { pointer in
            unsafe EVP_CipherInit_ex(
                cipher, EVP_aes_256_cbc(), nil,
                UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt8.self), iv, sealing ? 1 : 0)
        }
        guard cipherReady == 1 else { return false }
        return unsafe withUnsafeMutablePointer(to: &key.mac) { pointer in
            unsafe co_ticket_mac_init(mac, UnsafeMutableRawPointer(pointer), 32) == 1
        }
    }
}
