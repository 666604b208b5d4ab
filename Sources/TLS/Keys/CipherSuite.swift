// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// The cipher suites of TLS 1.3 that are served (RFC 8446 §B.4), with what is fetched of them once.
enum CipherSuite: UInt16 {
    case aes128GCM = 0x1301
    case aes256GCM = 0x1302
    case chaCha20Poly1305 = 0x1303

    var keyCount: Int { self == .aes128GCM ? 16 : 32 }

    /// Bytes of a secret: the output of the suite's hash.
    var secretCount: Int { hash.count }

    var hash: HashFunction { self == .aes256GCM ? .sha384 : .sha256 }

    /// Invariant: never freed; `nil` where libcrypto has no such cipher.
    var cipher: OpaquePointer? {
        switch self {
        case .aes128GCM: unsafe Self.aes128
        case .aes256GCM: unsafe Self.aes256
        case .chaCha20Poly1305: unsafe Self.chaCha20
        }
    }

    /// Whether libcrypto has what it takes: a provider may have no ChaCha20.
    var isAvailable: Bool { unsafe cipher != nil && hash.function != nil }

    // An implicit fetch for each connection would cost more than the key's set-up.
    private nonisolated(unsafe) static let aes128 = unsafe EVP_CIPHER_fetch(nil, "AES-128-GCM", nil)
    private nonisolated(unsafe) static let aes256 = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    private nonisolated(unsafe) static let chaCha20 =
        unsafe EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)
}

/// The hash functions of suites and signatures, fetched once.
enum HashFunction {
    case sha256, sha384, sha512

    /// Bytes of its output.
    var count: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// Bytes that it takes at a time (RFC 2104: what HMAC pads its key to).
    var blockCount: Int { self == .sha256 ? 64 : 128 }

    /// Invariant: never freed; `nil` where libcrypto has no such hash.
    var function: OpaquePointer? {
        switch self {
        case .sha256: unsafe Self.fetched256
        case .sha384: unsafe Self.fetched384
        case .sha512: unsafe Self.fetched512
        }
    }

    private nonisolated(unsafe) static let fetched256 = unsafe EVP_MD_fetch(nil, "SHA256", nil)
    private nonisolated(unsafe) static let fetched384 = unsafe EVP_MD_fetch(nil, "SHA384", nil)
    private nonisolated(unsafe) static let fetched512 = unsafe EVP_MD_fetch(nil, "SHA512", nil)
}

/// The output of a hash, which is no secret.
struct Digest {
    static let countMax = 64

    var bytes = InlineArray<64, UInt8>(repeating: 0)
    let count: Int

    init(_ function: HashFunction) {
        count = function.count
    }

    var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span.extracting(0..<count) }
    }
}
