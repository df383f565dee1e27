// SPDX-License-Identifier: GPL-2.0-only OR MIT
// The header's types as Rust has them: a state goes through bytes and back.
// Prints the sizes, as sizes.c does.
use std::ffi::CStr;
use std::os::raw::{c_char, c_int, c_void};

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Reading {
    htsc: u64,
    realtime_ns: i64,
    tai_offset_s: i64,
    realtime_error_ns: u64,
    width_ns: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Vcpu {
    tsc_offset_gtsc: u64,
    tsc_ratio: u64,
    tsc_gtsc: u64,
    tsc_adjust_gtsc: u64,
    deadline_gtsc: u64,
    tsc_khz: u32,
    flags: u32,
}

#[repr(C)]
struct State {
    size: u32,
    flags: u32,
    source: u32,
    host_khz: u32,
    frac_bits: u32,
    line_mul: u32,
    line_shift: i32,
    vcpu_count: u32,
    vcpu_room: u32,
    pad: u32,
    vcpus: *mut Vcpu,
    at: Reading,
    clock_ns: u64,
    line_gtsc: u64,
    line_ns: u64,
    width_ns: u64,
    unknown: *const c_void,
    unknown_bytes: u64,
}

#[repr(C)]
struct Error {
    size: u32,
    code: i32,
    sys_errno: i32,
    vcpu: i32,
    changed: u32,
    pad: u32,
    call: *const c_char,
    advice: *const c_char,
}

extern "C" {
    fn kvmclock_strerror(code: i32) -> *const c_char;
    fn kvmclock_encoded_bytes(state: *const State) -> usize;
    fn kvmclock_encode(s: *const State, to: *mut c_void, room: usize, used: *mut usize, e: *mut Error) -> c_int;
    fn kvmclock_decode(from: *const c_void, length: usize, s: *mut State, e: *mut Error) -> c_int;
}

fn state(vcpus: &mut [Vcpu; 2]) -> State {
    let mut s: State = unsafe { std::mem::zeroed() };
    s.size = std::mem::size_of::<State>() as u32;
    s.vcpu_room = 2;
    s.vcpus = vcpus.as_mut_ptr();
    s
}

fn main() {
    println!("reading {}", std::mem::size_of::<Reading>());
    println!("vcpu {}", std::mem::size_of::<Vcpu>());
    println!("state {}", std::mem::size_of::<State>());
    println!("error {}", std::mem::size_of::<Error>());
    let mut from = [Vcpu { tsc_khz: 2500000, deadline_gtsc: 7, ..Default::default() }; 2];
    let mut to = [Vcpu::default(); 2];
    let (mut a, mut b) = (state(&mut from), state(&mut to));
    let mut e: Error = unsafe { std::mem::zeroed() };
    e.size = std::mem::size_of::<Error>() as u32;
    a.vcpu_count = 2;
    a.host_khz = 2500000;
    a.frac_bits = 32;
    a.clock_ns = 0x123456789abcdef0;
    unsafe {
        let mut bytes = vec![0u8; kvmclock_encoded_bytes(&a)];
        let mut used = 0usize;
        assert_eq!(kvmclock_encode(&a, bytes.as_mut_ptr() as *mut c_void, bytes.len(), &mut used, &mut e), 0);
        assert_eq!(used, bytes.len());
        assert_eq!(kvmclock_decode(bytes.as_ptr() as *const c_void, used, &mut b, &mut e), 0);
        assert_eq!((b.clock_ns, b.vcpu_count, to[1].deadline_gtsc), (a.clock_ns, 2, 7));
        bytes[60] ^= 1;
        let code = kvmclock_decode(bytes.as_ptr() as *const c_void, used, &mut b, &mut e);
        assert_eq!((code, e.code, e.vcpu), (-19, -19, -1));
        assert_eq!(CStr::from_ptr(kvmclock_strerror(code)).to_str(), Ok("the saved bytes are damaged"));
    }
}
