// SPDX-License-Identifier: Apache-2.0

/// What can go wrong at a door to libcrypto; all of it at start, reload or on a command line.
package enum CryptoError: Error, Equatable {
    /// The library has no such algorithm, or refused to make a context for it.
    case unavailable
    /// Not a private key in PEM (PKCS#8 or SEC 1), or an encrypted one.
    case malformedKey
    /// A key, but not one of the curve P-256.
    case wrongKeyType
    /// Coordinates that are no point of the curve.
    case invalidPoint
    /// The library refused to sign.
    case signingFailed
}
