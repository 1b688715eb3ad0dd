import CIntrinsics

// Tables in registers: a function as one polynomial per piece of its range, each coefficient of all pieces in one vector,
// from which one permutation takes the coefficient of every lane. Sixteen pieces of degree 5 or eight of degree 7 cost
// less than one polynomial over the whole range, and nearly all of the result stands in its constant term: one rounding.
//
// The coefficients are minimax fits of the relative error (Lawson's iteratively reweighted least squares in double
// precision, rounded one after the other), in hexadecimal because they are meant exactly. Each centre is the number near
// the middle of its piece at which the constant term needs no rounding, but 0 where the function is 0.

#if SSF_AVX512 || SSF_AVX2

    /// The coefficient of every lane's piece; bits of an index above those that count pieces are ignored.
    @inline(always)
    func lookUp(_ table: Lanes, _ indices: LaneInts) -> Lanes {
        #if SSF_AVX512
            ssf_look_up16(table, indices)
        #else
            ssf_look_up8(table, indices)
        #endif
    }

    /// The pieces of 0 <= a < 14.75, narrow near 0 and wide behind: piece and leading bits of a + offset are the same.
    /// The offset puts the zero of ``SlopeTable`` in the middle of a piece.
    @inline(always)
    func normalPieces(_ a: Lanes) -> LaneInts {
        #if SSF_AVX512
            unsafeBitCast(a + Lanes(repeating: 1.125), to: LaneInts.self) &>> 21
        #else
            unsafeBitCast(a + Lanes(repeating: 1), to: LaneInts.self) &>> 22
        #endif
    }

#endif

#if SSF_AVX512

    /// a mills(a), times 2^64.
    enum TailTable {
        @inline(always) static var center: Lanes {
            Lanes(
                0x1.2001d4p0, 0x1.a00094p0, 0x1.100064p1, 0x1.5000cep1, 0x1.b00132p1, 0x1.180078p2, 0x1.58008ap2,
                0x1.9800a6p2, 0x1.f80028p2, 0x1.3c003cp3, 0x1.7c006ap3, 0x1.bc0066p3, 0, 0x1.00005ep-2, 0x1.00012ap-1,
                0x1.80003cp-1)
        }
        @inline(always) static var c0: Lanes {
            Lanes(
                0x1.1a9ff4p62, 0x1.4484dep62, 0x1.5d6c3ap62, 0x1.6d207p62, 0x1.7b6f02p62, 0x1.85de14p62, 0x1.8ba37cp62,
                0x1.8f20f6p62, 0x1.9239ap62, 0x1.94734cp62, 0x1.95adf4p62, 0x1.966d5ap62, 0, 0x1.a7f888p60,
                0x1.660396p61,
                0x1.cd285ep61)
        }
        @inline(always) static var c1: Lanes {
            Lanes(
                0x1.b655c8p60, 0x1.f9a522p59, 0x1.36dc52p59, 0x1.931bcap58, 0x1.c886fap57, 0x1.e14cfp56, 0x1.18ac9p56,
                0x1.610f08p55, 0x1.8736c8p54, 0x1.998e58p53, 0x1.df6aa2p52, 0x1.2fcfdap52, 0x1p63, 0x1.5c5646p62,
                0x1.e68058p61, 0x1.5bf7bep61)
        }
        @inline(always) static var c2: Lanes {
            Lanes(
                -0x1.00fcdp60, -0x1.0522fcp59, -0x1.1cebp58, -0x1.4a4fccp57, -0x1.407e2cp56, -0x1.1966a6p55,
                -0x1.1790a2p54,
                -0x1.3131a2p53, -0x1.1920fep52, -0x1.dee82ap50, -0x1.d78218p49, -0x1.018846p49, -0x1.988438p62,
                -0x1.02fafcp62, -0x1.51640ap61, -0x1.c2c632p60)
        }
        @inline(always) static var c3: Lanes {
            Lanes(
                0x1.eb19d8p58, 0x1.bd720cp57, 0x1.b42322p56, 0x1.c84deep55, 0x1.7f94b6p54, 0x1.1b87f2p53, 0x1.e376ap51,
                0x1.cc7114p50, 0x1.6270fp49, 0x1.ed569ep47, 0x1.998d7ap46, 0x1.823646p45, 0x1.ffef68p61, 0x1.3127d4p61,
                0x1.7606b2p60, 0x1.d68926p59)
        }
        @inline(always) static var c4: Lanes {
            Lanes(
                -0x1.9db098p57, -0x1.519582p56, -0x1.2ab732p55, -0x1.1bc6cep54, -0x1.a735cep52, -0x1.084a28p51,
                -0x1.83d6ap49, -0x1.430442p48, -0x1.a8bd08p46, -0x1.e0d8c4p44, -0x1.4f8882p43, -0x1.108114p42,
                -0x1.0ec3acp61, -0x1.345c8p60, -0x1.659e14p59, -0x1.a9efccp58)
        }
        @inline(always) static var c5: Lanes {
            Lanes(
                0x1.389792p56, 0x1.ce1512p54, 0x1.743128p53, 0x1.43559ap52, 0x1.aab37cp50, 0x1.c76392p48, 0x1.21dcf2p47,
                0x1.a923d4p45, 0x1.d9d3c4p43, 0x1.b867aap41, 0x1.041d56p40, 0x1.6dd032p38, 0x1.c269e4p59, 0x1.16f5e4p59,
                0x1.316458p58, 0x1.5a031cp57)
        }
    }

    /// mills(a) - a / sqrt(2 pi), times 2^64.
    enum SlopeTable {
        @inline(always) static var center: Lanes {
            Lanes(
                0x1.200002p0, 0x1.a00068p0, 0x1.10003cp1, 0x1.50006ap1, 0x1.b00016p1, 0x1.1800fcp2, 0x1.5800ccp2,
                0x1.98000cp2, 0x1.f8001ep2, 0x1.3c0098p3, 0x1.7c002ap3, 0x1.bc0014p3, 0x1.000098p-4, 0x1.000016p-2,
                0x1.00004ap-1, 0x1.80ead2p-1)
        }
        @inline(always) static var c0: Lanes {
            Lanes(
                -0x1.a0b976p61, -0x1.d023acp62, -0x1.5fd578p63, -0x1.d2a22ap63, -0x1.3c948cp64, -0x1.a88b2cp64,
                -0x1.094622p65, -0x1.3db604p65, -0x1.8bbfeap65, -0x1.f325acp65, -0x1.2d0fbep66, -0x1.606e24p66,
                0x1.cde714p62, 0x1.41d6e4p62, 0x1.337feap61, -0x1.dc87p36)
        }
        @inline(always) static var c1: Lanes {
            Lanes(
                -0x1.0b34cp63, -0x1.ec83d4p62, -0x1.d39c78p62, -0x1.c3e84ap62, -0x1.b599c6p62, -0x1.ab2a84p62,
                -0x1.a56526p62, -0x1.a1e7b8p62, -0x1.9ecf08p62, -0x1.9c9558p62, -0x1.9b5ab4p62, -0x1.9a9b4ep62,
                -0x1.8948cep63, -0x1.63854ep63, -0x1.3f03a2p63, -0x1.25126cp63)
        }
        @inline(always) static var c2: Lanes {
            Lanes(
                0x1.b656c2p59, 0x1.f9a38ap58, 0x1.36dbfep58, 0x1.931c38p57, 0x1.c8822cp56, 0x1.e14764p55, 0x1.18aac6p55,
                0x1.61124ep54, 0x1.872fcp53, 0x1.998b24p52, 0x1.df7086p51, 0x1.2fcc8p51, 0x1.cfce4p61, 0x1.5c5624p61,
                0x1.e68148p60, 0x1.5b295ep60)
        }
        @inline(always) static var c3: Lanes {
            Lanes(
                -0x1.56912p58, -0x1.5c2946p57, -0x1.7be966p56, -0x1.b86e4ep55, -0x1.ab40b4p54, -0x1.771bc2p53,
                -0x1.74bd8ep52, -0x1.9697d2p51, -0x1.76a2d8p50, -0x1.3f5134p49, -0x1.39e4b8p48, -0x1.55fce4p47,
                -0x1.e4d7a6p60, -0x1.595256p60, -0x1.c1e8f8p59, -0x1.2bacdep59)
        }
        @inline(always) static var c4: Lanes {
            Lanes(
                0x1.ef93fap56, 0x1.c0bb84p55, 0x1.b6a59ep54, 0x1.ca7fd6p53, 0x1.85c05cp52, 0x1.1e9a76p51, 0x1.e797a8p49,
                0x1.cc9732p48, 0x1.68e4e6p47, 0x1.f2b0e2p45, 0x1.997b6p44, 0x1.88b994p43, 0x1.c226aep59, 0x1.322056p59,
                0x1.76fc2p58, 0x1.d61ce8p57)
        }
        @inline(always) static var c5: Lanes {
            Lanes(
                -0x1.552dap55, -0x1.1087e6p54, -0x1.dbec22p52, -0x1.c51218p51, -0x1.568bep50, -0x1.ade362p48,
                -0x1.3740cep47, -0x1.203872p46, -0x1.5c2344p44, -0x1.7d5a3ap42, -0x1.33b368p41, -0x1.5de45p40,
                -0x1.323c34p58, -0x1.e8091p57, -0x1.1485c8p57, -0x1.5402bp56)
        }
    }

    /// erf(a).
    enum ErrorFunctionTable {
        @inline(always) static var c0: Lanes {
            Lanes(
                0, 0x1.2bd9dcp-2, 0x1.1855a6p-1, 0x1.7b0058p-1, 0x1.bbef1p-1, 0x1.e11a3ep-1, 0x1.f39bc2p-1,
                0x1.fb9f6p-1,
                0x1.fea422p-1, 0x1.ffa14ap-1, 0x1.ffe96ap-1, 0x1.fffb4ap-1, 0x1.ffff24p-1, 0x1.ffffdep-1, 0x1.fffffcp-1,
                0x1p0)
        }
        @inline(always) static var c1: Lanes {
            Lanes(
                0x1.20dd76p0, 0x1.0d2fa8p0, 0x1.b3aafep-1, 0x1.32281ep-1, 0x1.75a91ap-2, 0x1.8c0732p-3, 0x1.6c7e64p-4,
                0x1.2351c4p-5, 0x1.94624ep-7, 0x1.e7744ap-9, 0x1.fe41cep-11, 0x1.cfd4a6p-13, 0x1.6e2368p-15,
                0x1.f5f7dap-18,
                0x1.2acee4p-20, 0x1.34ecf8p-23)
        }
        @inline(always) static var c2: Lanes {
            Lanes(
                -0x1.ce997ap-17, -0x1.1e025cp-2, -0x1.cee40ep-2, -0x1.e7f09p-2, -0x1.8d04f6p-2, -0x1.06fbdep-2,
                -0x1.22746p-3, -0x1.0ee0e2p-4, -0x1.adc05ep-6, -0x1.23a0ep-7, -0x1.51f97ap-9, -0x1.51d4acp-11,
                -0x1.1dab3ap-13, -0x1.4637p-15, -0x1.05abd2p-16, -0x1.1b1818p-17)
        }
        @inline(always) static var c3: Lanes {
            Lanes(
                -0x1.80a24ep-2, -0x1.344e64p-2, -0x1.fa1162p-4, 0x1.b8d84ep-5, 0x1.3953fap-3, 0x1.4db38p-3,
                0x1.efba9ap-4,
                0x1.1f2bep-4, 0x1.0ea514p-5, 0x1.a7af08p-7, 0x1.16bfd2p-8, 0x1.36a528p-10, 0x1.26b5d6p-12,
                0x1.ddc726p-15,
                0x1.4bcc6ap-17, 0x1.8ba2aep-20)
        }
        @inline(always) static var c4: Lanes {
            Lanes(
                -0x1.864034p-8, 0x1.0eee34p-3, 0x1.7567b8p-3, 0x1.18e604p-3, 0x1.8cad92p-5, -0x1.6eec7ap-6,
                -0x1.90cec6p-5,
                -0x1.5bf0a4p-5, -0x1.ab2934p-6, -0x1.8a54c6p-7, -0x1.54925p-8, -0x1.ad9ad4p-10, -0x1.2b7fbap-11,
                0x1.5103fp-11, 0x1.48a418p-11, 0x1.ccb31p-12)
        }
        @inline(always) static var c5: Lanes {
            Lanes(
                0x1.131516p-3, 0x1.3eae96p-4, -0x1.15ab6ep-10, -0x1.e4e39cp-5, -0x1.0e3a2ap-4, -0x1.2eddaep-5,
                -0x1.52c2dep-8, 0x1.66b554p-7, 0x1.97e454p-7, 0x1.088dd8p-7, 0x1.f5c30cp-9, 0x1.76795p-10,
                0x1.c66834p-12,
                0x1.c84b3cp-14, 0x1.7f5808p-16, 0x1.0fae86p-18)
        }
    }

#elseif SSF_AVX2

    /// a mills(a), times 2^64.
    enum TailTable {
        @inline(always) static var center: Lanes {
            Lanes(
                0x1.8000f8p0, 0x1.400086p1, 0x1.000062p2, 0x1.800086p2, 0x1.200028p3, 0x1.a00006p3, 0, 0x1.80003cp-1)
        }
        @inline(always) static var c0: Lanes {
            Lanes(
                0x1.3c1486p62, 0x1.69cf04p62, 0x1.82b4cap62, 0x1.8e0114p62, 0x1.93a65p62, 0x1.96242ep62, 0,
                0x1.cd285ep61)
        }
        @inline(always) static var c1: Lanes {
            Lanes(
                0x1.203f0ep60, 0x1.bf3812p58, 0x1.2dd8dap57, 0x1.a0ed56p55, 0x1.0b6d9p54, 0x1.6fdc3p52, 0x1p63,
                0x1.5bf7bep61)
        }
        @inline(always) static var c2: Lanes {
            Lanes(
                -0x1.331f1cp59, -0x1.789cp57, -0x1.78fc6p55, -0x1.7b583ap53, -0x1.54ae78p51, -0x1.4bee66p49,
                -0x1.98844p62,
                -0x1.c2c698p60)
        }
        @inline(always) static var c3: Lanes {
            Lanes(
                0x1.0d5facp58, 0x1.0ac134p56, 0x1.9440fcp53, 0x1.2caa78p51, 0x1.7dbf7p48, 0x1.08c6cap46, 0x1.fffa1cp61,
                0x1.d68adep59)
        }
        @inline(always) static var c4: Lanes {
            Lanes(
                -0x1.9ea418p56, -0x1.514cd6p54, -0x1.88b3bep51, -0x1.b5f664p48, -0x1.8b6438p45, -0x1.892bb8p42,
                -0x1.100afcp61, -0x1.a89288p58)
        }
        @inline(always) static var c5: Lanes {
            Lanes(
                0x1.21643ep55, 0x1.87e124p52, 0x1.63ed22p49, 0x1.2cdc64p46, 0x1.85dep42, 0x1.177b5ep39, 0x1.f8a112p59,
                0x1.579e9p57)
        }
        @inline(always) static var c6: Lanes {
            Lanes(
                -0x1.85ec92p53, -0x1.b68198p50, -0x1.4bcec8p47, -0x1.9f38a2p43, -0x1.9d2b82p39, -0x1.9cdb9cp35,
                -0x1.85040cp58, -0x1.001e0cp56)
        }
        @inline(always) static var c7: Lanes {
            Lanes(
                0x1.de18eap51, 0x1.c84d36p48, 0x1.14c9e6p45, 0x1.08b05ep41, 0x1.85beccp36, 0x1.0fd318p32, 0x1.74714cp56,
                0x1.451bbp54)
        }
    }

    /// mills(a) - a / sqrt(2 pi), times 2^64.
    enum SlopeTable {
        @inline(always) static var center: Lanes {
            Lanes(
                0x1.80003p0, 0x1.40006ap1, 0x1.00005p2, 0x1.80004ep2, 0x1.200002p3, 0x1.a00032p3, 0x1.000016p-2,
                0x1.80ead2p-1)
        }
        @inline(always) static var c0: Lanes {
            Lanes(
                -0x1.920ebp62, -0x1.b6499p63, -0x1.80598ep64, -0x1.2a18cep65, -0x1.c5f9aep65, -0x1.49f7cep66,
                0x1.41d6e4p62,
                -0x1.dc87p36)
        }
        @inline(always) static var c1: Lanes {
            Lanes(
                -0x1.f4f458p62, -0x1.c739a8p62, -0x1.ae53dep62, -0x1.a30796p62, -0x1.9d6258p62, -0x1.9ae478p62,
                -0x1.63854ep63, -0x1.25126cp63)
        }
        @inline(always) static var c2: Lanes {
            Lanes(
                0x1.204024p59, 0x1.bf389ap57, 0x1.2dd99p56, 0x1.a0ef4cp54, 0x1.0b6e6ap53, 0x1.6fdc8ap51, 0x1.5c5666p61,
                0x1.5b297ep60)
        }
        @inline(always) static var c3: Lanes {
            Lanes(
                -0x1.998338p57, -0x1.f62e82p55, -0x1.f6b1cap53, -0x1.f9a19ep51, -0x1.c63502p49, -0x1.ba8e56p47,
                -0x1.5950b2p60, -0x1.2bad4ep59)
        }
        @inline(always) static var c4: Lanes {
            Lanes(
                0x1.0d41f2p56, 0x1.0aa562p54, 0x1.93c2a2p51, 0x1.2c228p49, 0x1.7d2334p46, 0x1.086c12p44, 0x1.312d1ep59,
                0x1.d50618p57)
        }
        @inline(always) static var c5: Lanes {
            Lanes(
                -0x1.4b0a88p54, -0x1.0bd1dcp52, -0x1.38fa74p49, -0x1.68b188p46, -0x1.3d00d8p43, -0x1.3b942cp40,
                -0x1.ea6b22p57, -0x1.5247aep56)
        }
        @inline(always) static var c6: Lanes {
            Lanes(
                0x1.8fd186p52, 0x1.0e642ap50, 0x1.f982dp46, 0x1.b2798ep43, 0x1.18cc82p40, 0x1.8dd9ecp36, 0x1.706b4ap56,
                0x1.cb3ef4p54)
        }
        @inline(always) static var c7: Lanes {
            Lanes(
                -0x1.d6616ep50, -0x1.3f851p48, -0x1.8eb09p44, -0x1.afc06ap38, -0x1.d17022p36, -0x1.b1d6d2p32,
                -0x1.1d5062p55, -0x1.2e300ap53)
        }
    }

    /// erf(a).
    enum ErrorFunctionTable {
        @inline(always) static var c0: Lanes {
            Lanes(
                0, 0x1.1855a6p-1, 0x1.bbef1p-1, 0x1.f39bc2p-1, 0x1.fea422p-1, 0x1.ffe96ap-1, 0x1.ffff24p-1,
                0x1.fffffcp-1)
        }
        @inline(always) static var c1: Lanes {
            Lanes(
                0x1.20dd76p0, 0x1.b3aafep-1, 0x1.75a91ap-2, 0x1.6c7e64p-4, 0x1.94624ep-7, 0x1.fe41cep-11,
                0x1.6e2368p-15,
                0x1.2acee4p-20)
        }
        @inline(always) static var c2: Lanes {
            Lanes(
                -0x1.07836p-16, -0x1.cee59p-2, -0x1.8d0444p-2, -0x1.2273bap-3, -0x1.adb62ep-6, -0x1.5260c8p-9,
                -0x1.2069f2p-13, -0x1.63430ap-17)
        }
        @inline(always) static var c3: Lanes {
            Lanes(
                -0x1.8073f4p-2, -0x1.fa06b6p-4, 0x1.39548ap-3, 0x1.efb91cp-4, 0x1.0ea466p-5, 0x1.16c172p-8,
                0x1.26bf7ep-12,
                0x1.4beb66p-17)
        }
        @inline(always) static var c4: Lanes {
            Lanes(
                -0x1.663f6cp-7, 0x1.77b5fap-3, 0x1.89b986p-5, -0x1.93559ep-5, -0x1.adf67ap-6, -0x1.4274cep-8,
                -0x1.e39dc4p-12, 0x1.d75582p-13)
        }
        @inline(always) static var c5: Lanes {
            Lanes(
                0x1.8919ecp-3, -0x1.dba3bp-10, -0x1.0f6f3ep-4, -0x1.46aeaap-8, 0x1.998a06p-7, 0x1.f38caap-9,
                0x1.c05764p-12,
                0x1.76113ep-16)
        }
        @inline(always) static var c6: Lanes {
            Lanes(
                -0x1.0e80e6p-2, -0x1.844224p-5, 0x1.2ee494p-7, 0x1.0b0506p-6, -0x1.70bc5ep-9, -0x1.bcada2p-11,
                0x1.ad5d52p-13, -0x1.2d1e54p-9)
        }
        @inline(always) static var c7: Lanes {
            Lanes(
                0x1.37ef16p-2, 0x1.b46b6p-8, 0x1.9207a6p-7, -0x1.73bb6p-8, -0x1.f7934ep-10, 0x1.5df72cp-11,
                0x1.c9bbbap-13,
                0x1.542a9ep-16)
        }
    }

#endif
