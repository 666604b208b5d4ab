// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Testing

/// Signatures that others have made, in base64url.
struct SignatureVector: Sendable, CustomTestStringConvertible {
    let source: String
    let algorithm: SignatureAlgorithm
    let members: PublicMembers
    let message: [UInt8]
    let signature: [UInt8]

    var testDescription: String { source }

    init(
        _ source: String, _ algorithm: SignatureAlgorithm, _ members: PublicMembers,
        message: String, signature: String
    ) {
        self.source = source
        self.algorithm = algorithm
        self.members = members
        self.message = Array(message.utf8)
        self.signature = Self.decode(signature)
    }

    static let all = [
        SignatureVector(
            "RFC 7515 §A.2", .rs256, .rsa(modulus: decode(rfcModulus), exponent: [1, 0, 1]),
            message: rsaMessage, signature: rsaSignature),
        SignatureVector(
            "RFC 7515 §A.3", .es256, .p256(x: decode(x), y: decode(y)), message: pointMessage,
            signature: pointSignature),
        SignatureVector(
            "RFC 8037 §A.4", .edDSA, .ed25519(decode(edwardsPoint)),
            message: "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            signature:
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvp"
                + "Ar_MuM0KAg"),
        SignatureVector(
            "Python's cryptography", .ps256, ownMembers, message: "message", signature: pss),
    ]

    /// What is nothing to decode is an empty array, and no key or signature.
    static func decode(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return Base64URL.decode(bytes.span) ?? []
    }

    static let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
    static let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    static let edwardsPoint = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    static let rfcModulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ"
        + "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0"
        + "LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD"
        + "Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2"
        + "PAcDTW9gb54h4FRWyuXpoQ"
    static let rsaMessage =
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
        + "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    static let rsaSignature =
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF"
        + "5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK"
        + "5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt"
        + "FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
        + "p0igcN_IoypGlUPQGe77Rw"
    static let pointMessage =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
        + "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    static let pointSignature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-K"
        + "g6NU1Q"

    // MARK: Made for this test with Python's `cryptography`, under a key of this test alone

    static let ownMembers = PublicMembers.rsa(modulus: decode(ownModulus), exponent: [1, 0, 1])
    static let ownModulus =
        "0yozwH3Z5ns76LcVZzY0FilKVc_lVK0xnf7DivE575Xv57BVy9v0M5pLGVhH0jH7FJ1WUUBQntt548v1"
        + "y2rFmYPT48qVQh2WTci9XB4Vs5IM2ywuxUxZL9Fz_ZZkimBi2kA91Yf4wWYbDpvj0EOtmRJvPxDIVNor"
        + "XNXcQ373ONPxGmVsPSQoRSNjlsbyNqTTXn-V2onRRZ9IIGroGrdAHwCxQuaNN2OuKPNxqugJ-BWaKCu_"
        + "zeMQyhF9M0j3g9YZPO8eR0FIVq4pmhnv6BWGG7M8b4-HwiJisQo28tc2S-SQg027LQa_sVRqZRQoOBvt"
        + "Yke1LGowIczQUKk_B2eVCQ"
    static let pss =
        "0FOfidjtOUGaPZmyTmZ8hnSp6Gx2zzFMUO5Ho5lI4WhV3KTywpJP23U6anMVYJOWcgFBMLp9mo4Z6Q35"
        + "Na897yOA0QOQzG8D1MTAp4zPqmBKOenX0zLxEThcHe1Y3EcExBLUB1hFdJ9iqb75zi1v1uXQ54HkEEiP"
        + "rqhuVqI6mFo6tVWR_4tMXDbrmIfgifMd2wknGhKd4u4snmv1KYn7-SdahwLe-5ZPB1GEJjqerLgLhfD4"
        + "gkRiNX49Me0v-KVhZLeAZT8y1gWRxSE5oIjrxqElzEW8vPJlKQpdo89X5zYbBF5rzLCrpz437gCzazwp"
        + "YLBeTFl8BNH6ul7oldxlYg"
    static let pssWithSaltOf20 =
        "p9vHjqL-5xOaVGnOv6LQ9ZuMMRr3vWBOUZZZ3OacGvgTpWjcunokWEVVTqYsiYXn0tk0ASTGlydL02a2"
        + "sxunx6lzarZGrnO7mkUpGrnVvVMVsW86VTnBJg7KiVdVXfJX4qtFgRNlH34q_8utC70nIeSTs70eZdLh"
        + "AP1Rr8ojCaSr6H5Vlz5H7rFo0UBxCtLmu_kfPs9t8pLfeZfcHGsIMWE_Ul395fphsDPPfxo3Xsv0FmIG"
        + "IuQmGkQxC7OtnF9pstY5Tg0Bx-lXFemp2Q7dHZ6B5ayl0pttSqIiZ9UG3es5HoHz3jNgGF3YvfcySaiI"
        + "DyrFAWqFbBdM2E3SkkHxEQ"
    static let pssWithLongestSalt =
        "BcWbTA-odK7cZ1CgjjdG0vfSCHHXnuNQk_EI_pBZ2oa0T-6c4ucVZXrfsSZwFl3BFiAcNQBKNyoaLX8R"
        + "MIWQfuO0QN4R6vwIahbMAJUYntmnrzgLaShW7aMBn0N8WcOR8P8wdwuOfN9DWFOY-gVr-vNSaAV9RP_w"
        + "DoiLG9JrgSO8bpLyimQ-Tqs4yqQs9zf51s4F3uc8Ib8pSV9pwG7PGnYbuc6HeOp_ipZEWaTJKY6lOiDo"
        + "FF2Q7wlLmHmMkfI0Ak1dEmWjfMdxTfsEHP1SZHb8X2DXWWEC2QxKhtaqg1Fm2h0qAyBKiCIIwNglYijL"
        + "k3HofYSREfvkWXsKexPLPA"
    static let pssWithMGF1OfSHA1 =
        "X5Noj-SCsSipXQKWDBar7C7d6YJI4CtGW_JGJHEPVXsvNn9qbA5jXFwEaEA6o2ahwH6GazbnPYsKt0Pj"
        + "JkATfjnqZSKBgqg1XvDBCBCO5vQsefVJTddp5FBenqMzI8CiX4-sP7Ww6iNDyvenLTeSncCeR1JfbZto"
        + "bgkkaNT6--cVte8SAN_QuxqD22WCZjWM5zMqF8O4900WgV8OfpKYOSF9zW_ImDVnHSHQJtL3sKBRo_VO"
        + "mWETtz643m4eKITKYw6yhRGxiUBOBb74iD7VJOxT-LECPN9aBNAcWzGO_gMoHYMqSvtoIEOydoULxC2k"
        + "TqveTZmjSktdYB3m8e6mrw"
    static let pkcs1OfSHA384 =
        "DAzmFUx7wqkmr-73syEqLiY_BRzq20XSkf25MpkOeEgoU4w0K3F7CCmv1ikFN8bIExrMNl9ltCopPRxD"
        + "0VtibqYF6wr4A8Airg5gBxHQ6cP4-u9pA-DXJZvy-P2i3yyx3bDJ5XPhyENoohAOp2uQRaoH9VG3V8NY"
        + "VVg-MC8Y-A6H0aHap6GmR_cdOqY8Y-AQOqQmdaXJrnVUv0hyVeN3kBOfnDUsh8_CSltPVJFYNnjimlA2"
        + "uIq8fOZlAVeXqpCk0Srbq84F0UrMQ8fflhRvE31mnYqC5eBfwLEXiAtf4YYfUsSGti7U8zOa_bYOBLt1"
        + "oJrk3V3pV16LYla3WmldpQ"
}
