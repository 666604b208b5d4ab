// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@testable import TLS

/// The key schedule against RFC 8448 §3, a handshake written down in full.
@Suite("Key schedule")
struct KeyScheduleTests {
    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue).map { UInt8($0) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func secret(_ text: String) -> Secret { Secret(bytes(text).span) }

    private static func digest(_ text: String) -> Digest {
        var digest = Digest(.sha256)
        for (index, byte) in bytes(text).enumerated() { digest.bytes[index] = byte }
        return digest
    }

    private static func expect(
        _ secret: consuming Secret, _ text: String,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let found = (0..<secret.count).map { unsafe secret.bytes[$0] }
        #expect(found == bytes(text), sourceLocation: location)
    }

    private static let agreed =
        "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"
    /// Of ClientHello and ServerHello.
    private static let hellos =
        "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8"
    /// Up to the server's Finished.
    private static let flight =
        "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13"

    @Test func aHandshakeOfRFC8448() throws {
        let engine = HashEngine()
        var schedule = try KeySchedule(.sha256, preshared: Secret(count: 32), engine)
        try schedule.advance(with: Self.secret(Self.agreed))
        let hellos = Self.digest(Self.hellos)
        Self.expect(
            try schedule.derive("c hs traffic", hellos),
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21")
        Self.expect(
            try schedule.derive("s hs traffic", hellos),
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
        try schedule.advance(with: Secret(count: 32))
        let flight = Self.digest(Self.flight)
        Self.expect(
            try schedule.derive("c ap traffic", flight),
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5")
        Self.expect(
            try schedule.derive("s ap traffic", flight),
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")
    }

    /// RFC 2202 and RFC 4231, case 2.
    @Test func hmacOfTheHashes() throws {
        let key = Secret(Array("Jefe".utf8).span)
        let message = Array("what do ya want for nothing?".utf8)
        for (function, expected) in [
            (.sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                .sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                    + "8e2240ca5e69e2c78b3239ecfab21649"
            ),
        ] as [(HashFunction, String)] {
            let output = Secret(count: function.count)
            let engine = HashEngine()
            // SAFETY: key, message and output are as long as they count.
            unsafe try message.withUnsafeBufferPointer { bytes throws(Alert) in
                unsafe try engine.hmac(
                    function, key: key.bytes, keyCount: key.count, message: bytes.baseAddress,
                    count: bytes.count, into: output.bytes)
            }
            Self.expect(output, expected)
        }
    }

    /// A transcript's digest in the middle changes nothing for the rest.
    @Test func digestsOnTheWay() throws {
        let engine = HashEngine()
        let whole = Array("abc".utf8)
        for function in [HashFunction.sha256, .sha384] {
            try engine.begin(function)
            for byte in whole {
                let piece = [byte]
                try engine.add(piece.span)
                _ = try engine.digest()
                // Others use the same engine meanwhile.
                _ = try engine.hash(.sha256, whole.span)
            }
            let digest = try engine.digest()
            let once = try engine.hash(function, whole.span)
            #expect(digest.span.array == once.span.array)
        }
        let digest = try engine.hash(.sha256, whole.span)
        #expect(
            digest.span.array
                == Self.bytes("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
    }
}
