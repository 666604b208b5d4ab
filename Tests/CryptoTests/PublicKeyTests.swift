// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Crypto
import Testing

@Suite("Public keys")
struct PublicKeyTests {
    @Test func pointsOffTheCurveAreRefused() throws {
        let x = SignatureVector.decode(SignatureVector.x)
        var y = SignatureVector.decode(SignatureVector.y)
        _ = try PublicKey(.p256(x: x, y: y))
        y[31] ^= 1
        let zero = [UInt8](repeating: 0, count: 32)
        let points = [(x, y), (x, [1, 2, 3]), (zero, zero), ([], []), (x + [0], y), (y, x)]
        for (x, y) in points {
            #expect(throws: CryptoError.invalidPoint) { _ = try PublicKey(.p256(x: x, y: y)) }
        }
        #expect(ERR_peek_error() == 0)
    }

    /// The same point, but for a coordinate that was not reduced: x = 5 lies on P-256, and so
    /// would x = p + 5.
    @Test func coordinatesBeyondTheFieldAreRefused() throws {
        let reduced = SignatureVector.decode("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAU")
        let beyond = SignatureVector.decode("_____wAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAQ")
        let y = SignatureVector.decode("RZJDuapYGAb-kTvOmYF63hHKUDxk2aPFM0FcCDJI-8w")
        #expect(reduced.count == 32 && beyond.count == 32 && y.count == 32)
        _ = try PublicKey(.p256(x: reduced, y: y))
        #expect(throws: CryptoError.invalidPoint) { _ = try PublicKey(.p256(x: beyond, y: y)) }
    }

    // MARK: Ed25519

    /// The points of small order, in each spelling (libsodium's list, which is that of
    /// draft-ietf-lwig-curve-representations), and what is no point at all.
    static let unsoundPoints = [
        "00000000000000000000000000000000000000000000000000000000000000",
        "01000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // y = 2 and y = 7 are of no point.
        "02000000000000000000000000000000000000000000000000000000000000",
        "07000000000000000000000000000000000000000000000000000000000000",
    ]

    @Test(arguments: zip(unsoundPoints, ["00", "00", "05", "7a", "7f", "7f", "7f", "00", "00"]))
    func unsoundPointsOfEd25519AreRefused(head: String, last: String) throws {
        let text = Array((head + last).utf8)
        let decoded = Hex.decode(text.span)
        var point = try #require(decoded)
        #expect(point.count == 32)
        for sign: UInt8 in [0, 0x80] {
            point[31] = point[31] & 0x7F | sign
            #expect(throws: CryptoError.invalidPoint) { _ = try PublicKey(.ed25519(point)) }
        }
    }

    @Test func pointsOfEd25519HaveOneLength() throws {
        let point = SignatureVector.decode(SignatureVector.edwardsPoint)
        _ = try PublicKey(.ed25519(point))
        for wrong in [[], point.dropLast(), point + [0]] {
            #expect(throws: CryptoError.invalidPoint) { _ = try PublicKey(.ed25519(wrong)) }
        }
    }

    @Test func keysThatAreMadeAreSound() throws {
        for _ in 0..<64 {
            let key = try SigningKey.generate(.edDSA)
            _ = try PublicKey(key.members)
        }
    }

    // MARK: RSA

    static func modulus(bits: Int, last: UInt8 = 1) -> [UInt8] {
        var bytes = [UInt8](repeating: 0x5A, count: (bits + 7) / 8)
        bytes[0] = 1 << UInt8((bits - 1) % 8)
        bytes[bytes.count - 1] = last
        return bytes
    }

    @Test(arguments: [2048, 2049, 3072, 4096, 8192])
    func sizesThatAreTaken(bits: Int) throws {
        let modulus = Self.modulus(bits: bits)
        for exponent: [UInt8] in [[3], [1, 0, 1], [0, 0, 1, 0, 1], [0x80, 0, 0, 0, 0, 0, 0, 1]] {
            let key = try PublicKey(.rsa(modulus: [0, 0] + modulus, exponent: exponent))
            let plain = Array(exponent.drop { $0 == 0 })
            #expect(key.members == .rsa(modulus: modulus, exponent: plain))
        }
    }

    @Test(arguments: [0, 1, 512, 1024, 2047, 8193, 16384])
    func sizesThatAreRefused(bits: Int) {
        // Zeros in front make no short key longer.
        let modulus = bits == 0 ? [] : Self.modulus(bits: bits)
        for padding in [0, 1, 256] {
            let padded = [UInt8](repeating: 0, count: padding) + modulus
            #expect(throws: CryptoError.unsuitableKey) {
                _ = try PublicKey(.rsa(modulus: padded, exponent: [1, 0, 1]))
            }
        }
    }

    @Test(arguments: [
        [], [0], [1], [2], [0, 0, 1], [1, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0, 1],
        [UInt8](repeating: 0xFF, count: 256),
    ])
    func exponentsThatAreRefused(exponent: [UInt8]) {
        #expect(throws: CryptoError.unsuitableKey) {
            _ = try PublicKey(.rsa(modulus: Self.modulus(bits: 2048), exponent: exponent))
        }
    }

    @Test func evenModuliAreRefused() {
        #expect(throws: CryptoError.unsuitableKey) {
            _ = try PublicKey(.rsa(modulus: Self.modulus(bits: 2048, last: 2), exponent: [3]))
        }
    }
}
