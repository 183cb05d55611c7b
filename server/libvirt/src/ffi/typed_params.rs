//! Lists of named values (`virTypedParameter`), as libvirt takes and returns them.

use std::{
    ffi::{CStr, CString, c_char, c_int},
    ptr, slice,
};

use virt::sys;

use crate::error::LibvirtError;

/// A list that libvirt allocated. Dropping it frees its strings, too, which the `virt` crate's own lists leak.
pub(crate) struct TypedParams {
    list: sys::virTypedParameterPtr,
    len: c_int,
    capacity: c_int,
}

impl TypedParams {
    pub(crate) fn new() -> Self {
        // SAFETY: it may be called at any time, any number of times. Without it, libvirt crashes in a process that has not used it
        // yet. If it fails, the first use of the list fails, too.
        unsafe { sys::virInitialize() };
        Self { list: ptr::null_mut(), len: 0, capacity: 0 }
    }

    /// # Safety
    /// `list` is NULL with `len` 0, or `len` parameters that libvirt allocated for the caller to free.
    pub(crate) unsafe fn from_raw(list: sys::virTypedParameterPtr, len: c_int) -> Self {
        Self { list, len, capacity: len }
    }

    pub(crate) fn add_string(&mut self, name: &CStr, value: &str) -> Result<(), LibvirtError> {
        let value = CString::new(value).map_err(virt::error::Error::from)?;
        // SAFETY: the three fields describe one list that libvirt allocated and may move and extend; it copies both strings.
        let result = unsafe {
            sys::virTypedParamsAddString(
                &mut self.list,
                &mut self.len,
                &mut self.capacity,
                name.as_ptr(),
                value.as_ptr(),
            )
        };
        if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
    }

    pub(crate) fn add_u64(&mut self, name: &CStr, value: u64) -> Result<(), LibvirtError> {
        // SAFETY: as in `add_string`.
        let result = unsafe {
            sys::virTypedParamsAddULLong(&mut self.list, &mut self.len, &mut self.capacity, name.as_ptr(), value)
        };
        if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
    }

    pub(crate) fn add_i32(&mut self, name: &CStr, value: i32) -> Result<(), LibvirtError> {
        // SAFETY: as in `add_string`.
        let result = unsafe {
            sys::virTypedParamsAddInt(&mut self.list, &mut self.len, &mut self.capacity, name.as_ptr(), value)
        };
        if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
    }

    /// The list for a call of libvirt's; valid as long as `self`.
    pub(crate) fn as_raw(&self) -> (sys::virTypedParameterPtr, c_int) {
        (self.list, self.len)
    }

    pub(crate) fn as_slice(&self) -> &[sys::virTypedParameter] {
        // SAFETY: `from_raw` requires it, and `add_*` keep it so.
        unsafe { from_libvirt(self.list, self.len) }
    }
}

impl Drop for TypedParams {
    fn drop(&mut self) {
        // SAFETY: the list is NULL or allocated by libvirt, and this is the only pointer to it.
        unsafe { sys::virTypedParamsFree(self.list, self.len) }
    }
}

/// A list that libvirt owns.
///
/// # Safety
/// `list` is NULL, or points to `len` parameters that stay unchanged for `'a`.
pub(crate) unsafe fn from_libvirt<'a>(list: *const sys::virTypedParameter, len: c_int) -> &'a [sys::virTypedParameter] {
    match usize::try_from(len) {
        // SAFETY: not NULL; the rest is required of the caller.
        Ok(len) if !list.is_null() => unsafe { slice::from_raw_parts(list, len) },
        _ => &[],
    }
}

/// The number of this name; none if the list does not have it, or if it is negative or not an integer.
pub(crate) fn number(list: &[sys::virTypedParameter], name: &CStr) -> Option<u64> {
    let parameter = list.iter().find(|parameter| is_named(&parameter.field, name))?;
    // SAFETY: `type_` says which member of the union libvirt has set.
    unsafe {
        match parameter.type_ as sys::virTypedParameterType {
            sys::VIR_TYPED_PARAM_INT => parameter.value.i.try_into().ok(),
            sys::VIR_TYPED_PARAM_UINT => Some(parameter.value.ui.into()),
            sys::VIR_TYPED_PARAM_LLONG => parameter.value.l.try_into().ok(),
            sys::VIR_TYPED_PARAM_ULLONG => Some(parameter.value.ul),
            _ => None,
        }
    }
}

/// The string of this name; none if the list does not have it, or if it is not a string or not UTF-8.
pub(crate) fn string<'a>(list: &'a [sys::virTypedParameter], name: &CStr) -> Option<&'a str> {
    let parameter = list.iter().find(|parameter| is_named(&parameter.field, name))?;
    if parameter.type_ as sys::virTypedParameterType != sys::VIR_TYPED_PARAM_STRING {
        return None;
    }
    // SAFETY: by its type the union holds a C string, which lives as long as the list.
    let text = unsafe { parameter.value.s.as_ref().map(|text| CStr::from_ptr(text)) };
    text?.to_str().ok()
}

/// Whether a field, which is a C string in a fixed-size array, holds this name.
pub(crate) fn is_named(field: &[c_char], name: &CStr) -> bool {
    field.iter().map(|&c| c as u8).take_while(|&b| b != 0).eq(name.to_bytes().iter().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_list_has_nothing() {
        assert!(TypedParams::new().as_slice().is_empty());
    }

    #[test]
    fn a_string_is_no_number() {
        let mut list = TypedParams::new();
        list.add_string(sys::VIR_MIGRATE_PARAM_URI, "tcp://192.0.2.7").unwrap();
        assert_eq!(number(list.as_slice(), sys::VIR_MIGRATE_PARAM_URI), None);
        assert_eq!(string(list.as_slice(), sys::VIR_MIGRATE_PARAM_URI), Some("tcp://192.0.2.7"));
        list.add_u64(c"n", 1).unwrap();
        assert_eq!(string(list.as_slice(), c"n"), None);
        assert_eq!(string(list.as_slice(), c"absent"), None);
        assert!(list.add_string(c"x", "a\0b").is_err());
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(values in prop::collection::btree_map("[a-z._]{1,79}", any::<u64>(), 0..40)) {
            let mut list = TypedParams::new();
            for (name, value) in &values {
                list.add_u64(&CString::new(name.as_str()).unwrap(), *value).unwrap();
            }
            for (name, value) in &values {
                prop_assert_eq!(number(list.as_slice(), &CString::new(name.as_str()).unwrap()), Some(*value));
            }
            prop_assert_eq!(number(list.as_slice(), c"Absent"), None);
        }
    }
}
