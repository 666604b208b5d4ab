// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Agrees on secrets (RFC 8446 §7.4) with a fresh key each time, for one thread.
@safe
final class KeyExchange {
    struct Agreement: ~Copyable {
        /// What the other side needs.
        let share: [UInt8]
        let secret: Secret
    }

    /// By group; invariant: ready to generate keys, owned by this object; `nil` until the group's
    /// first use.
    private var makers: [OpaquePointer?] = unsafe NamedGroup.allCases.map { _ in nil }

    deinit {
        for index in unsafe makers.indices { unsafe EVP_PKEY_CTX_free(makers[index]) }
    }

    /// Answers the other side's share, which is at fault where it is none of the group.
    func answer(_ group: NamedGroup, _ peerShare: Span<UInt8>) throws(Alert) -> Agreement {
        // Compressed points and the point at infinity are other lengths or begin otherwise
        // (§4.2.8.2).
        guard peerShare.count == group.shareCount, group == .x25519 || peerShare[0] == 4 else {
            throw .illegalParameter
        }
        defer { ERR_clear_error() }
        var generated: OpaquePointer?
        guard let maker = unsafe maker(group), unsafe EVP_PKEY_generate(maker, &generated) == 1,
            let key = unsafe generated
        else { throw .internalError }
        defer { unsafe EVP_PKEY_free(key) }
        guard let peer = unsafe EVP_PKEY_new() else { throw .internalError }
        defer { unsafe EVP_PKEY_free(peer) }
        guard unsafe EVP_PKEY_copy_parameters(peer, key) == 1 else { throw .internalError }
        // SAFETY: the span's bytes are readable for the call. A point that is not on the curve is
        // refused here; its curve has no other subgroup to fear.
        let isTaken = unsafe peerShare.withUnsafeBufferPointer {
            unsafe EVP_PKEY_set1_encoded_public_key(peer, $0.baseAddress, $0.count) == 1
        }
        guard isTaken else { throw .illegalParameter }
        return Agreement(
            share: unsafe try Self.share(of: key, group),
            secret: unsafe try Self.derive(key, peer, group))
    }

    private func maker(_ group: NamedGroup) -> OpaquePointer? {
        let index: Int
        switch group {
        case .x25519: index = 0
        case .secp256r1: index = 1
        case .secp384r1: index = 2
        }
        if let maker = unsafe makers[index] { return unsafe maker }
        switch group {
        case .x25519: unsafe makers[index] = co_x25519_maker()
        case .secp256r1: unsafe makers[index] = co_curve_maker("P-256")
        case .secp384r1: unsafe makers[index] = co_curve_maker("P-384")
        }
        return unsafe makers[index]
    }

    private static func share(
        of key: OpaquePointer, _ group: NamedGroup
    ) throws(Alert) -> [UInt8] {
        var count = 0
        let share = unsafe [UInt8](unsafeUninitializedCapacity: group.shareCount) { room, used in
            // SAFETY: libcrypto writes no more than the room it is told of.
            let isDone = unsafe EVP_PKEY_get_octet_string_param(
                key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, room.baseAddress, room.count, &count)
            used = isDone == 1 && count <= room.count ? count : 0
        }
        guard share.count == group.shareCount else { throw .internalError }
        return share
    }

    private static func derive(
        _ key: OpaquePointer, _ peer: OpaquePointer, _ group: NamedGroup
    ) throws(Alert) -> Secret {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else {
            throw .internalError
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_derive_init(context) == 1,
            unsafe EVP_PKEY_derive_set_peer_ex(context, peer, 0) == 1
        else { throw .internalError }
        let secret = Secret(count: group.secretCount)
        var count = group.secretCount
        // SAFETY: the secret has as many bytes as it counts. It fails where the outcome would be
        // all zeros (RFC 7748 §6.1): a point of small order, which the other side has chosen.
        guard unsafe EVP_PKEY_derive(context, secret.bytes, &count) == 1,
            count == group.secretCount
        else { throw .illegalParameter }
        return secret
    }
}
