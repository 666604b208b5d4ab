// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Whom a client believes to be the server that it names.
package enum TLSTrust {
    /// One whose chain ends at one of the system's authorities, and whose leaf has the name.
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` say where they are, if not in OpenSSL's usual place; a
    /// system that has none makes a context that believes nobody.
    case system
    /// PEM: one whose chain ends at one of these certificates, and whose leaf has the name.
    case authorities([UInt8])
    /// Anyone at all, for throw-away certificates on one machine, or where pins alone decide.
    case anyone

    var isVerifying: Bool {
        if case .anyone = self { return false }
        return true
    }

    /// Puts the authorities into the context's store.
    func load(into context: OpaquePointer) throws(TLSFault) {
        switch self {
        case .anyone: return
        case .system:
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw TLSFault.configuration("system's authorities: \(OpenSSLErrors.take())")
            }
            // Files that are missing leave errors behind, and are no fault.
            ERR_clear_error()
        case .authorities(let text):
            unsafe try Self.load(text, into: SSL_CTX_get_cert_store(context))
        }
    }

    private static func load(_ text: [UInt8], into store: OpaquePointer?) throws(TLSFault) {
        // SAFETY: a memory BIO reads in place, and the bytes outlive it.
        let count = unsafe text.withUnsafeBufferPointer { bytes in
            unsafe add(bytes, to: store)
        }
        // The end of the text is no fault; an authority that cannot be read would be missed.
        let end = ERR_peek_last_error()
        ERR_clear_error()
        guard count > 0, ERR_GET_LIB(end) == ERR_LIB_PEM, ERR_GET_REASON(end) == PEM_R_NO_START_LINE
        else { throw TLSFault.configuration("authorities are not PEM certificates") }
    }

    /// - Returns: how many certificates were read, up to the first fault.
    private static func add(
        _ text: UnsafeBufferPointer<UInt8>, to store: OpaquePointer?
    ) -> Int {
        guard let memory = unsafe co_memory_bio(text.baseAddress, Int32(clamping: text.count))
        else { return 0 }
        defer { unsafe BIO_free(memory) }
        var count = 0
        while let certificate = unsafe PEM_read_bio_X509(memory, nil, co_no_passphrase, nil) {
            defer { unsafe X509_free(certificate) }
            guard unsafe X509_STORE_add_cert(store, certificate) == 1 else { return count }
            count += 1
        }
        return count
    }
}
