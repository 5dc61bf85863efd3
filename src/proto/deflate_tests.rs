use super::*;
#[test]
fn x() {
    let mut d = Deflater::new(1, 15).unwrap();
    let mut o = vec![];
    d.message(b"Hello", None, &mut o).unwrap();
    println!("{o:02x?}");
    let mut h = History::new(15);
    let mut o = vec![];
    d.message(b"Hello", Some(&mut h), &mut o).unwrap();
    o.clear();
    d.message(b"Hello", Some(&mut h), &mut o).unwrap();
    println!("{o:02x?}");
    let mut i = Inflater::new().unwrap();
    let mut o = vec![];
    println!("{:?}", i.message(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 7, 0, 0], 5, None, &mut o));
    println!("{o:?}");
}
