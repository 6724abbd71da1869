use super::*;

fn check<T: FromStr<Err = Rejected> + PartialEq + fmt::Debug>(text: &str, expected: Option<T>) {
    assert_eq!(text.parse::<T>().ok(), expected, "{text:?}");
}

#[test]
fn hidden() {
    check("64,32", Some(Hidden(vec![64, 32])));
    check("(64, 32,)", Some(Hidden(vec![64, 32])));
    check("none", Some(Hidden(vec![])));
    check("", Some(Hidden(vec![])));
    check::<Hidden>("64,x", None);
    check::<Hidden>("64,0", None);
    check::<Hidden>("9999999", None);
}

#[test]
fn valid() {
    check("0.2", Some(Valid::Fraction(0.2)));
    check("none", Some(Valid::None));
    check("0", Some(Valid::None));
    check("held_out.csv", Some(Valid::File("held_out.csv".into())));
    check::<Valid>("1.5", None);
    check::<Valid>("-0.1", None);
}

#[test]
fn quantiles() {
    check("0.1,0.5,0.9", Some(Quantiles(vec![0.1, 0.5, 0.9])));
    check::<Quantiles>("0.5,0.1", None);
    check::<Quantiles>("0.5,1", None);
}

#[test]
fn activations() {
    let plain = |name| ActivationChoice { name, parameter: None };
    check("relu,tanh", Some(Activations(vec![plain(ActivationName::Relu), plain(ActivationName::Tanh)])));
    let leaky = ActivationChoice { name: ActivationName::LeakyRelu, parameter: Some(0.02) };
    check("leaky-relu:0.02", Some(Activations(vec![leaky])));
    check::<Activations>("relu:2", None);
    let refused = "rleu".parse::<Activations>().unwrap_err();
    assert!(refused.problem.contains("did you mean relu?"), "{refused}");
}

#[test]
fn class_weights() {
    check("balanced", Some(ClassWeight::Balanced));
    check("a=1,b=2.5", Some(ClassWeight::PerClass(vec![("a".into(), 1.0), ("b".into(), 2.5)])));
    check::<ClassWeight>("a", None);
    check::<ClassWeight>("a=-1", None);
}

#[test]
fn characters() {
    assert_eq!(delimiter("tab").ok(), Some(b'\t'));
    assert_eq!(delimiter(";;").ok(), None);
    assert_eq!(thousands(" ").ok(), Some(' '));
    assert_eq!(thousands("3").ok(), None);
}
