// SPDX-License-Identifier: Apache-2.0

/// What can go wrong at a door to libcrypto; all of it at start, reload or on a command line.
package enum CryptoError: Error, Equatable {
    /// The library has no such algorithm, or refused to make a context for it.
    case unavailable
    /// Not a private key in PEM, or an encrypted one.
    case malformedKey
    /// A key, but neither of the curve P-256 nor of Ed25519 nor of RSA.
    case wrongKeyType
    /// An RSA key that is too short, too long, or has an exponent out of bounds.
    case unsuitableKey
    /// Coordinates that are no point of the curve, or one that is no key.
    case invalidPoint
    /// The library refused to sign.
    case signingFailed
}
