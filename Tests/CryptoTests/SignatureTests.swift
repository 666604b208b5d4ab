// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL
import Crypto
import Testing

@Suite("Signatures")
struct SignatureTests {
    /// One of each algorithm, made once: RSA takes its time.
    static let keys = SignatureAlgorithm.allCases.compactMap { try? SigningKey.generate($0) }

    static func key(_ algorithm: SignatureAlgorithm) throws -> SigningKey {
        try #require(keys.first { $0.algorithm == algorithm })
    }

    @Test(arguments: SignatureVector.all)
    func theSignaturesOfOthersAreBelieved(vector: SignatureVector) throws {
        let key = try PublicKey(vector.members)
        let algorithm = vector.algorithm
        #expect(key.believes(vector.message, vector.signature, algorithm))
        for index in vector.signature.indices {
            var wrong = vector.signature
            wrong[index] ^= 1
            #expect(!key.believes(vector.message, wrong, algorithm))
        }
        let count = vector.signature.count
        #expect(!key.believes(vector.message.dropLast(), vector.signature, algorithm))
        #expect(!key.believes([], vector.signature, algorithm))
        #expect(!key.believes(vector.message, vector.signature.dropLast(), algorithm))
        #expect(!key.believes(vector.message, vector.signature + [0], algorithm))
        #expect(!key.believes(vector.message, [0] + vector.signature, algorithm))
        #expect(!key.believes(vector.message, [], algorithm))
        #expect(!key.believes(vector.message, Array(repeating: 0, count: count), algorithm))
        #expect(!key.believes(vector.message, Array(repeating: 0xFF, count: count), algorithm))
        #expect(key.believes(vector.message, vector.signature, algorithm), "still of use")
        #expect(ERR_peek_error() == 0, "the queue is left clean")
        for other in SignatureAlgorithm.allCases where other != algorithm {
            #expect(!key.believes(vector.message, vector.signature, other))
        }
    }

    @Test(arguments: [
        SignatureVector.pssWithSaltOf20, SignatureVector.pssWithLongestSalt,
        SignatureVector.pssWithMGF1OfSHA1, SignatureVector.pkcs1OfSHA384,
    ])
    func otherFormsOfRSAAreDisbelieved(signature: String) throws {
        let key = try PublicKey(SignatureVector.ownMembers)
        let message = Array("message".utf8)
        let bytes = SignatureVector.decode(signature)
        #expect(bytes.count == 256)
        #expect(!key.believes(message, bytes, .ps256))
        #expect(!key.believes(message, bytes, .rs256))
    }

    /// For ES256, 512 signatures meet halves with leading zeros (1 in 128 has one) and with set
    /// high bits.
    @Test(arguments: [
        (SignatureAlgorithm.es256, 512), (.edDSA, 32), (.rs256, 4), (.ps256, 4),
    ])
    func whatIsSignedIsBelieved(algorithm: SignatureAlgorithm, count: Int) throws {
        let key = try Self.key(algorithm)
        let pen = try Pen(key)
        let believer = try PublicKey(key.members)
        for number in 0..<count {
            let message = Array("message \(number)".utf8)
            let signature = try pen.sign(message)
            #expect(signature.count == (algorithm == .es256 || algorithm == .edDSA ? 64 : 256))
            #expect(believer.believes(message, signature, algorithm))
        }
        let nothing = try pen.sign([])
        #expect(believer.believes([], nothing, algorithm))
    }

    /// Each key's signature, under each key, as each algorithm.
    @Test func nobodyElseBelieves() throws {
        #expect(Self.keys.count == 4)
        for signing in Self.keys {
            let signature = try Pen(signing).sign([1])
            for believing in Self.keys {
                let key = try PublicKey(believing.members)
                for algorithm in SignatureAlgorithm.allCases {
                    let isRight = signing === believing && algorithm == signing.algorithm
                    #expect(key.believes([1], signature, algorithm) == isRight)
                }
            }
        }
        let other = try PublicKey(SigningKey.generate().members)
        #expect(!other.believes([1], try Pen(Self.key(.es256)).sign([1]), .es256))
    }

    /// The library hands the context back as it was; what stands behind the signature stays.
    @Test func aLongerBufferKeepsItsEnd() throws {
        for key in Self.keys {
            var signer = try Signer(key)
            var output = [UInt8](repeating: 7, count: Signer.signatureCountMax)
            var span = output.mutableSpan
            try signer.sign([1].span, into: &span)
            #expect(output[signer.signatureCount...].allSatisfy { $0 == 7 })
        }
    }

    @Test func manyThreadsShareAKey() async throws {
        for signing in Self.keys {
            let key = try PublicKey(signing.members)
            let signature = try Pen(signing).sign([1])
            let algorithm = signing.algorithm
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        (0..<20).allSatisfy { _ in
                            key.believes([UInt8(number % 2)], signature, algorithm)
                                == (number % 2 == 1)
                        }
                    }
                }
                for await isRight in group { #expect(isRight) }
            }
        }
    }
}
