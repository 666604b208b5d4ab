// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity

extension MicroCase {
    /// A token of an identity provider, of 1,100 bytes and more, that is met for the first time:
    /// taken apart, judged, its signature checked.
    static let tokenFirstES256 = firstToken("token-first-es256", .es256)
    static let tokenFirstRS256 = firstToken("token-first-rs256", .rs256)
    static let tokenFirstEdDSA = firstToken("token-first-eddsa", .edDSA)

    private static func firstToken(_ name: String, _ algorithm: SignatureAlgorithm) -> MicroCase {
        MicroCase(name, callsCounted: 50) { measure in
            let provider = try SampleProvider(algorithm)
            try measure { count in
                var sum = 0
                for _ in 0..<count { sum &+= Int(try provider.verify().expires & 1) &+ 1 }
                return sum
            }
        }
    }

    /// The same, up to the signature: what a stranger's token costs at most.
    static let tokenJudged = MicroCase("token-judged", callsCounted: 200) { measure in
        let provider = try SampleProvider(.es256)
        try measure { count in
            var sum = 0
            for _ in 0..<count { sum &+= try provider.judge() }
            return sum
        }
    }

    /// The same, met before: its digest, and a look into the cache.
    static let tokenCached = MicroCase("token-cached") { measure in
        let provider = try SampleProvider(.es256)
        var hasher = try Hasher256()
        var cache = VerifiedTokenCache()
        let token = provider.token
        cache.keep(
            try provider.verify(), hasher.digest(token.span), version: 1, tag: 7,
            now: SampleProvider.now)
        try measure { count in
            var sum = 0
            for _ in 0..<count {
                let digest = hasher.digest(token.span)
                let hit = cache.find(digest, now: SampleProvider.now) { _ in 1 }
                guard let hit else { throw BenchmarkFault.failed("not found") }
                sum &+= Int(hit.tag)
            }
            return sum
        }
    }

    /// A look into the cache alone, by a digest that is there.
    static let tokenLookUp = MicroCase("token-look-up") { measure in
        let provider = try SampleProvider(.es256)
        var hasher = try Hasher256()
        var cache = VerifiedTokenCache()
        let verified = try provider.verify()
        var digests: [SHA256Digest] = []
        for number in 0..<512 {
            let digest = hasher.digest(Array("\(number)".utf8).span)
            cache.keep(
                verified, digest, version: 1, tag: UInt64(number), now: SampleProvider.now)
            if cache.find(digest, now: SampleProvider.now, version: { _ in 1 }) != nil {
                digests.append(digest)
            }
        }
        // Some sets get more than they hold.
        digests = digests.filter { digest in
            cache.find(digest, now: SampleProvider.now, version: { _ in 1 }) != nil
        }
        try measure { count in
            var sum = 0
            for number in 0..<count {
                let digest = digests[number % digests.count]
                let hit = cache.find(digest, now: SampleProvider.now) { _ in 1 }
                guard let hit else { throw BenchmarkFault.failed("not found") }
                sum &+= Int(hit.tag) &+ 1
            }
            return sum
        }
    }

    /// A key set of three keys, read anew.
    static let keySetReading = MicroCase("key-set-reading", callsCounted: 20) { measure in
        let keys = try [SampleKey.make(.es256), SampleKey.make(.edDSA), SampleKey.make(.rs256)]
        let document = try JWKS(keys: keys.map { try PublicJWK($0) }).document
        try measure { count in
            var sum = 0
            for _ in 0..<count { sum &+= try JSONWebKeySet(document.span).keys.count }
            return sum
        }
    }
}

/// An identity provider with one key, one token of it, and who believes both.
struct SampleProvider {
    static let now: UInt64 = 1_700_000_010
    private static let issuer = TokenIssuer(
        name: "https://idp.example/realms/claw", audience: "agentport", agentClaim: "azp")

    let token: [UInt8]
    private let keys: JSONWebKeySet

    init(_ algorithm: SignatureAlgorithm) throws {
        let key = try SampleKey.make(algorithm)
        let jwk = try PublicJWK(key)
        let jwks = try JWKS(keys: [jwk])
        keys = try JSONWebKeySet(jwks.document.span)
        let header = Array(
            #"{"alg":"\#(algorithm.name)","typ":"JWT","kid":"\#(jwk.keyID)"}"#.utf8)
        let input =
            Base64URL.encode(header.span) + "." + Base64URL.encode(Array(Self.payload.utf8).span)
        let bytes = Array(input.utf8)
        var signer = try Signer(key)
        var signature = [UInt8](repeating: 0, count: signer.signatureCount)
        var output = signature.mutableSpan
        try signer.sign(bytes.span, into: &output)
        token = bytes + Array(("." + Base64URL.encode(signature.span)).utf8)
    }

    /// The members of Keycloak's.
    private static let payload = """
        {"exp":1700000300,"iat":1700000000,"jti":"onrtac:3f1c1f0e-9a4a-4e0e-b4a6-3a4f0b9b0d2b",\
        "iss":"https://idp.example/realms/claw","aud":["agentport","account"],\
        "sub":"f8f2a7b0-6f5c-4b8f-9a51-2d6a1f0c7e11","typ":"Bearer","azp":"weather-app",\
        "sid":"7c0f4a4e-3f6b-4a0e-8f52-0d1f5a6b7c8d","acr":"1",\
        "allowed-origins":["https://app.example"],"realm_access":{"roles":["offline_access",\
        "uma_authorization","default-roles-claw"]},"resource_access":{"account":{"roles":\
        ["manage-account","manage-account-links","view-profile"]}},"scope":"openid profile email",\
        "email_verified":true,"name":"Ops Team","preferred_username":"ops",\
        "given_name":"Ops","family_name":"Team","email":"ops@example.com"}
        """

    func judge() throws -> Int {
        let token = try AccessToken(token.span)
        let place = try token.issuer(among: [Self.issuer])
        _ = try AccessTokenCandidate(
            token, of: Self.issuer, place: place, keys: keys, now: Self.now)
        return place &+ 1
    }

    func verify() throws -> VerifiedToken {
        let token = try AccessToken(token.span)
        let place = try token.issuer(among: [Self.issuer])
        let candidate = try AccessTokenCandidate(
            token, of: Self.issuer, place: place, keys: keys, now: Self.now)
        return try candidate.verify()
    }
}
