// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Testing

@testable import TLS

/// Numbers that others have computed.
@Suite("Record vectors")
struct RecordVectorTests {
    /// RFC 8448 §3: the client's and the server's secret, keys, and record of 50 bytes.
    @Test(arguments: [
        (
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
            "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9", UInt64(0),
            "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b39"
                + "5bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4"
        ),
        (
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
            "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984", UInt64(1),
            "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6df"
                + "fc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd032e167c2955d"
        ),
    ])
    func theTraceOfRFC8448(
        secret: String, key: String, iv: String, number: UInt64, record: String
    ) {
        let suite = CipherSuite.aes128GCM
        let bytes = Self.bytes(secret)
        #expect(Self.expand(.of(bytes), suite, "key", 16) == Self.bytes(key))
        #expect(Self.expand(.of(bytes), suite, "iv", 12) == Self.bytes(iv))
        let content = (0..<50).map { UInt8($0) }
        var protection = RecordProtection(suite, .of(bytes), isSealing: true, sequence: number)
        let isReady = protection.setKey()
        #expect(isReady)
        let sealed = Self.seal(&protection, content)
        #expect(sealed == Self.bytes(record))
        let next = protection.sequence
        #expect(next == number + 1)
    }

    struct Vector: Sendable {
        var suite: CipherSuite
        var key: String
        var iv: String
        /// Of `agent`: as number 0, as number 0x0102030405060708, and as number 0 of the next key.
        var records: [String]
    }

    /// Python's `cryptography` computed these, from the secret 01 02 03 ….
    static let vectors = [
        Vector(
            suite: .aes128GCM, key: "28596a230c2c30a952fe79483568e18e",
            iv: "fc73b522c6809e028f922c68",
            records: [
                "17030300161ba29b300a710629894ce26497b6200f764cfccdc7bd",
                "170303001674ea6d0072e5c378b8e30ef6461b37c504c9ea627b67",
                "1703030016ed4890d8be468f3c60d32b87b2152c2659c89eafc9af",
            ]),
        Vector(
            suite: .aes256GCM,
            key: "ab56e7ea07eaef99986a0f0accb58f3ac7db5ce322196d9667722ed2a63d8a64",
            iv: "fc4dc87e05fa4337db00ad3d",
            records: [
                "170303001691680650f5f0a61b9a750eb4f50bab892d96c032e726",
                "1703030016bb247f772976d8e3d5810c59c2ec9a1514ae1a510d1d",
                "170303001695f9b7fb110a575e0dbe3a13350565a5cacdd05de4d9",
            ]),
        Vector(
            suite: .chaCha20Poly1305,
            key: "db41e1e1dfca2c286e8b260708507ec443640314513151be46574cdf061fb816",
            iv: "fc73b522c6809e028f922c68",
            records: [
                "17030300167161c7cd74fee46f172ccfc288fa3413cf80dcd5ac96",
                "17030300169d93140cb570bf97a48eed344338720076d861bc16e0",
                "1703030016ed4d0f9da342978a51e380efdc662f499307f9cdb002",
            ]),
    ]

    @Test(arguments: vectors)
    func eachSuite(vector: Vector) {
        let suite = vector.suite
        let agent = Array("agent".utf8)
        let key = Self.expand(.counting(from: 1, suite), suite, "key", suite.keyCount)
        #expect(key == Self.bytes(vector.key))
        let iv = Self.expand(.counting(from: 1, suite), suite, "iv", 12)
        #expect(iv == Self.bytes(vector.iv))
        for (number, record) in zip([0, 0x0102_0304_0506_0708] as [UInt64], vector.records) {
            var protection = RecordProtection(
                suite, .counting(from: 1, suite), isSealing: true, sequence: number)
            let isReady = protection.setKey()
            #expect(isReady)
            let sealed = Self.seal(&protection, agent)
            #expect(sealed == Self.bytes(record))
            let isUpdated = protection.update()
            #expect(isUpdated)
            let sealedNext = Self.seal(&protection, agent)
            #expect(sealedNext == Self.bytes(vector.records[2]))
        }
    }

    /// What is not the suite's is no key, whatever its length.
    @Test func aSecretOfAnotherLengthIsRefused() {
        for count in [0, 31, 33, 48] {
            let secret = Secret.of([UInt8](repeating: 7, count: count))
            var protection = RecordProtection(.aes128GCM, secret, isSealing: true)
            let isReady = protection.setKey()
            #expect(!isReady)
        }
        let short = Secret.of([UInt8](repeating: 7, count: 32))
        var protection = RecordProtection(.aes256GCM, short, isSealing: true)
        let isReady = protection.setKey()
        #expect(!isReady)
    }

    // MARK: Bytes

    private static func bytes(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue).map { UInt8($0) }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private static func expand(
        _ secret: consuming Secret, _ suite: CipherSuite, _ label: StaticString, _ count: Int
    ) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: count)
        // SAFETY: the room is as long as what is asked for.
        let isDone = unsafe output.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            let nothing: [UInt8] = []
            do throws(Alert) {
                unsafe try HashEngine().expand(
                    suite.hash, secret, label, nothing.span, into: base, count)
                return true
            } catch {
                return false
            }
        }
        return isDone ? output : []
    }

    private static func seal(_ protection: inout RecordProtection, _ content: [UInt8]) -> [UInt8] {
        var record = [UInt8](repeating: 0, count: content.count + TLSSession.recordOverhead)
        // SAFETY: the record has 22 bytes more than the content.
        let isSealed = unsafe record.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return false }
            return unsafe content.withUnsafeBufferPointer {
                unsafe protection.seal($0.baseAddress, $0.count, type: 23, into: base)
            }
        }
        return isSealed ? record : []
    }
}
