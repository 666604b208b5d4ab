// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Certificates and keys out of PEM (RFC 7468). What is read belongs to the caller.
enum PEMText {
    /// The first certificate.
    static func leaf(_ text: borrowing Span<UInt8>) throws(TLSFault) -> OpaquePointer {
        let bio = unsafe try memory(text, "certificate")
        defer { unsafe BIO_free(bio) }
        // Without a callback libcrypto would ask on the terminal for an encrypted one's passphrase.
        guard let leaf = unsafe PEM_read_bio_X509(bio, nil, refusePassphrase, nil) else {
            ERR_clear_error()
            throw TLSFault.configuration("certificate is not a PEM certificate")
        }
        return unsafe leaf
    }

    /// All certificates, as DER.
    static func chain(_ text: borrowing Span<UInt8>) throws(TLSFault) -> [[UInt8]] {
        let bio = unsafe try memory(text, "certificate")
        defer { unsafe BIO_free(bio) }
        var chain: [[UInt8]] = []
        while let link = unsafe PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
            defer { unsafe X509_free(link) }
            let count = unsafe Int(i2d_X509(link, nil))
            guard count > 0 else {
                throw TLSFault.configuration("certificate chain: \(OpenSSLErrors.take())")
            }
            chain.append(
                unsafe [UInt8](unsafeUninitializedCapacity: count) { room, used in
                    // SAFETY: it writes as many bytes as it said, and moves the pointer behind.
                    var end = room.baseAddress
                    used = unsafe max(0, Int(i2d_X509(link, &end)))
                })
        }
        // The end of the text is no fault; a link that cannot be read would be missed by clients.
        let end = ERR_peek_last_error()
        guard ERR_GET_LIB(end) == ERR_LIB_PEM, ERR_GET_REASON(end) == PEM_R_NO_START_LINE else {
            throw TLSFault.configuration("certificate chain: \(OpenSSLErrors.take())")
        }
        ERR_clear_error()
        return chain
    }

    static func key(_ text: borrowing Span<UInt8>) throws(TLSFault) -> OpaquePointer {
        let bio = unsafe try memory(text, "key")
        defer { unsafe BIO_free(bio) }
        guard let key = unsafe PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, nil) else {
            ERR_clear_error()
            throw TLSFault.configuration("key is not a PEM private key without passphrase")
        }
        return unsafe key
    }

    private static func memory(
        _ text: borrowing Span<UInt8>, _ what: String
    ) throws(TLSFault) -> OpaquePointer {
        // SAFETY: a memory BIO reads in place; the span outlives it in every caller.
        let bio = unsafe text.withUnsafeBufferPointer { bytes in
            unsafe co_memory_bio(bytes.baseAddress, Int32(clamping: bytes.count))
        }
        guard let bio = unsafe bio else { throw TLSFault.configuration("\(what) is too large") }
        return unsafe bio
    }
}

private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ writing: Int32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 { -1 }
