// SPDX-License-Identifier: Apache-2.0

import Crypto

/// Keys that the cases sign with.
enum SampleKey {
    /// A new one; but one of RSA is always the same, since making one takes more instructions
    /// than what is counted, and never as many as the last time.
    static func make(_ algorithm: SignatureAlgorithm) throws -> SigningKey {
        guard algorithm == .rs256 else { return try SigningKey.generate(algorithm) }
        return try SigningKey(pem: Array(rsa.utf8).span)
    }

    /// 2048 bits, made with the openssl command for this benchmark alone.
    private static let rsa = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDAHG2NylnfzxCr
        zG8MCq0Chd4nhpNXiPGXM4UwMu6zUXer+QzuXHaX5NkjymW86Aky7mUEudLKV2MT
        QYni7w0a38O0PVMbMmU7srO+N0h1zWbKgNEX9l7egEM9diJg9FlJIXxg/bkqlAII
        mJlyXyAuLx74u/+Ikuf7s/5mnbphkEiaX/BRlQc3O4gNFFfZexwYeaWZ4hPA0d66
        5hJxOywc864jtqwfDJ+xEM2NzUULMLF22721uYVSANsRDVtuECITWRT9ebrORCP+
        frt/fB62isg+RQOUJoFvGpE033l9XEZFq4M81kMeQbO96GQ4dbxFVGHcA45YI12x
        bcpeYAUlAgMBAAECggEACNomfYFEo+igLYe62YoHun/doozzxCBQyt/6XqQHgLwb
        xhEF9K55CSW9OwYhVajhfPckMNQOhPlYMjPJEpZjpbMy4DQah2cf6At4zHvdUGRP
        EhIJJdAEmL8TRMU+mfYYbni8XkxtWFYVQ+fNhkog1aVL3uKWyJMbB8Dy/i/Sve+6
        ApPNzHL5vU6BrIaPEwVma2kYK3q9o5CMzXYgLqaygfa5RARRbyr0X6fc5OEGwBHa
        ExCQQDgKL/gbdA/FADCrddcvQbqOltUIeIzNM34GOhHydp3FCefI+DN7O3XH8hAl
        vjmlbeciDxK5/y9xojtX04vss/Ul5fv48NCXJKmn4QKBgQD236xYegS9yphRn1GB
        drWndscPDa/jSj/+6oDZxEuqMDj/Szh3cSzsrFAe/ODVQRoxDbep6hKcFMTMhoas
        yvwTDQpDXlmEHuS4UBIzK4iYDyVDmRa/aKlL/D9jNXIqU4hv9/b8SYRDIzc9givh
        T7bCjedXn7RlT9/lYwfJfGH+9QKBgQDHNn/2e9DsndPNofKDg3eyFGwijtTi/0rf
        xUvVd8A0dPfI6DYVEwDQT/fzGT7BG1HmqwMLsJzxr/37OhJlkPNk7U0+BnOWzHQf
        NYsAUCyEZj97BKS8xdGnNw2VMxhN3NTpyKncZbrsesFaekonaQJkqreMXzhTgaQa
        cDTBA2GvcQKBgGr8GaMqFb3t+z58DYVOXYCaL7+tTcjxF3SwSXCV6bhyN3EjNvBE
        IpTaQ8p6CjFAikoxyKMg5jmvom2D6v8c5EqZPxZc3+wquzHIuWpldkd3YM2/nSUM
        BToBsbKbqcL/+kOTsPw6G9BAhaLpM3zr36bGejf15OZ2y++LkAdYGNu1AoGAKyqz
        Fb0Eq5ETiTZzb234bN0iBWb/2GRLXCvLX+k/+93wp1cyCOUCQyFg8AtjXsLFv38E
        /O57Q5/IID0YKWv8Yb1OBIevWljZPL4Ebb/xtYrWbJi3/bO710kFp3PX619Tv4jc
        zcY5d+6toSZolRubCic3+LHVabrozVXNCJnr+/ECgYEAtWiY9s1XdKt+vnwWROYy
        ts6CLKCpf+cf6Er4Gywkokghyohrs6fd92aZ93XAbAqYIoh4RJQRhyg3tF9e7tyo
        u+/P0qXnR35K3+eWPrZ5Z1CCjwe8Tp3kgCrXnWUNQn26u+1vbKBbMJvPddDlfPwf
        H68jLMGBPMCUACu4pF12UAw=
        -----END PRIVATE KEY-----
        """
}
