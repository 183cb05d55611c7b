//! libvirt's events, from its callbacks into the engine's channel.
//!
//! Callbacks run on libvirt's event loop, or on the thread that finds a connection closed. They must not call libvirt, block or
//! panic.

use std::{
    ffi::{c_char, c_int, c_ulonglong, c_void},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use engine::HostEvent;
use model::{HostName, VmId};
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;
use virt::{connect::Connect, sys};

use crate::{
    domain::reasons,
    error::LibvirtError,
    ffi::{job_statistics, typed_params},
    translate,
};

/// Sends the events of one host to the engine, until its connection is gone.
pub(crate) struct Notifier {
    host: HostName,
    /// Taken when the first of the host's connections closes, so that the end is sent once, and no event after it.
    events: Mutex<Option<UnboundedSender<HostEvent>>>,
}

impl Notifier {
    pub(crate) fn new(host: HostName, events: UnboundedSender<HostEvent>) -> Self {
        Self { host, events: Mutex::new(Some(events)) }
    }

    fn send_event(&self, event: HostEvent) {
        if let Some(events) = self.events.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            // Fails if the engine no longer listens: then it has dropped this connection, or is about to.
            let _ = events.send(event);
        }
    }

    fn send_closed(&self, reason: c_int) {
        if let Some(events) = self.events.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = events.send(HostEvent::Closed(translate::closed(&self.host, reason)));
        }
    }
}

/// A callback registered with libvirt; dropping this deregisters it.
pub(crate) struct Subscription {
    /// A reference of its own, because the connection has to outlive the callback.
    connect: Connect,
    kind: Kind,
}

enum Kind {
    Closed,
    Domain(c_int),
}

impl Subscription {
    /// Notifies when the connection is gone.
    pub(crate) fn closed(connect: &Connect, notifier: &Arc<Notifier>) -> Result<Self, LibvirtError> {
        let connect = connect.clone();
        let opaque = lend(notifier);
        // SAFETY: the connection is open. `opaque` is what `ON_CLOSED` and `give_back` expect; libvirt calls `give_back` once, after
        // the last call of `ON_CLOSED`.
        let result =
            unsafe { sys::virConnectRegisterCloseCallback(connect.as_ptr(), ON_CLOSED, opaque, Some(give_back)) };
        if result < 0 {
            return Err(refused(opaque));
        }
        Ok(Self { connect, kind: Kind::Closed })
    }

    /// Notifies when a VM is defined, undefined, or changes its state.
    pub(crate) fn lifecycle(connect: &Connect, notifier: &Arc<Notifier>) -> Result<Self, LibvirtError> {
        let callback: OnLifecycle = on_lifecycle;
        // SAFETY: libvirt calls it as `OnLifecycle`, the type that belongs to this kind of event.
        let callback = unsafe { mem::transmute::<OnLifecycle, OnEvent>(callback) };
        Self::domain(connect, notifier, sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE, callback)
    }

    /// Notifies when a guest is woken up. Of one that has arrived asleep libvirt tells nothing else.
    pub(crate) fn wakeups(connect: &Connect, notifier: &Arc<Notifier>) -> Result<Self, LibvirtError> {
        let callback: OnWakeup = on_wakeup;
        // SAFETY: libvirt calls it as `OnWakeup`, the type that belongs to this kind of event.
        let callback = unsafe { mem::transmute::<OnWakeup, OnEvent>(callback) };
        Self::domain(connect, notifier, sys::VIR_DOMAIN_EVENT_ID_PMWAKEUP, callback)
    }

    /// Notifies when a VM gets a device while it runs, memory for instance, or loses one. libvirt tells of no change in the number of
    /// virtual CPUs.
    pub(crate) fn devices(connect: &Connect, notifier: &Arc<Notifier>) -> Result<[Self; 2], LibvirtError> {
        let event = |event| {
            let callback: OnDevice = on_device;
            // SAFETY: libvirt calls it as `OnDevice`, the type that belongs to both kinds of event.
            let callback = unsafe { mem::transmute::<OnDevice, OnEvent>(callback) };
            Self::domain(connect, notifier, event, callback)
        };
        Ok([event(sys::VIR_DOMAIN_EVENT_ID_DEVICE_ADDED)?, event(sys::VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED)?])
    }

    /// Notifies when a VM's balloon leaves it another amount of memory.
    pub(crate) fn balloon(connect: &Connect, notifier: &Arc<Notifier>) -> Result<Self, LibvirtError> {
        let callback: OnBalloon = on_balloon;
        // SAFETY: libvirt calls it as `OnBalloon`, the type that belongs to this kind of event.
        let callback = unsafe { mem::transmute::<OnBalloon, OnEvent>(callback) };
        Self::domain(connect, notifier, sys::VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, callback)
    }

    /// Notifies when a migration has succeeded.
    pub(crate) fn completed_jobs(connect: &Connect, notifier: &Arc<Notifier>) -> Result<Self, LibvirtError> {
        let callback: OnJobCompleted = on_job_completed;
        // SAFETY: libvirt calls it as `OnJobCompleted`, the type that belongs to this kind of event.
        let callback = unsafe { mem::transmute::<OnJobCompleted, OnEvent>(callback) };
        Self::domain(connect, notifier, sys::VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, callback)
    }

    fn domain(
        connect: &Connect,
        notifier: &Arc<Notifier>,
        event: sys::virDomainEventID,
        callback: OnEvent,
    ) -> Result<Self, LibvirtError> {
        let connect = connect.clone();
        let opaque = lend(notifier);
        // SAFETY: the connection is open; no domain means all of them; `callback` is of the type that belongs to `event`. `opaque` is
        // what it and `give_back` expect; libvirt calls `give_back` once, after the last call of `callback`.
        let id = unsafe {
            sys::virConnectDomainEventRegisterAny(
                connect.as_ptr(),
                std::ptr::null_mut(),
                event as c_int,
                Some(callback),
                opaque,
                Some(give_back),
            )
        };
        if id < 0 {
            return Err(refused(opaque));
        }
        Ok(Self { connect, kind: Kind::Domain(id) })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // SAFETY: the connection lives as long as `self`, and the callback was registered with it and not deregistered yet.
        let result = unsafe {
            match self.kind {
                Kind::Closed => sys::virConnectUnregisterCloseCallback(self.connect.as_ptr(), ON_CLOSED),
                Kind::Domain(id) => sys::virConnectDomainEventDeregisterAny(self.connect.as_ptr(), id),
            }
        };
        if result < 0 {
            // It fails on a broken connection. libvirt has deregistered the callback on this side nevertheless.
            tracing::debug!(error = %LibvirtError::last(), "could not deregister a callback");
        }
    }
}

/// `virConnectDomainEventGenericCallback`: what all callbacks of domain events are passed as.
type OnEvent = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, *mut c_void);
type OnLifecycle = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, c_int, c_int, *mut c_void) -> c_int;
type OnWakeup = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, c_int, *mut c_void);
type OnDevice = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, *const c_char, *mut c_void);
type OnBalloon = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, c_ulonglong, *mut c_void);
type OnJobCompleted =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, sys::virTypedParameterPtr, c_int, *mut c_void);

/// A static, because libvirt finds the callback to deregister by its address, and only a static has the same one everywhere.
static ON_CLOSED: sys::virConnectCloseFunc = Some(on_closed);

unsafe extern "C" fn on_closed(_: sys::virConnectPtr, reason: c_int, opaque: *mut c_void) {
    // SAFETY: `opaque` is what `lend` made.
    unsafe { borrow(opaque) }.send_closed(reason);
}

unsafe extern "C" fn on_lifecycle(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    event: c_int,
    detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: libvirt lends the domain for this call, and `opaque` is what `lend` made.
    let (vm, notifier) = unsafe { (vm(domain), borrow(opaque)) };
    if let Some(vm) = vm {
        if event == sys::VIR_DOMAIN_EVENT_STOPPED as c_int {
            notifier.send_event(HostEvent::Stopped(vm, reasons::stopped(detail)));
        }
        notifier.send_event(HostEvent::Changed(vm));
    }
    0
}

unsafe extern "C" fn on_device(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    _: *const c_char,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain for this call, and `opaque` is what `lend` made.
    unsafe { send_changed(domain, opaque) }
}

unsafe extern "C" fn on_balloon(_: sys::virConnectPtr, domain: sys::virDomainPtr, _: c_ulonglong, opaque: *mut c_void) {
    // SAFETY: libvirt lends the domain for this call, and `opaque` is what `lend` made.
    unsafe { send_changed(domain, opaque) }
}

/// Notifies that something about a VM changed.
///
/// # Safety
/// `domain` is valid, and `opaque` comes from `lend`.
unsafe fn send_changed(domain: sys::virDomainPtr, opaque: *mut c_void) {
    // SAFETY: as the caller says.
    let (vm, notifier) = unsafe { (vm(domain), borrow(opaque)) };
    if let Some(vm) = vm {
        notifier.send_event(HostEvent::Changed(vm));
    }
}

unsafe extern "C" fn on_wakeup(_: sys::virConnectPtr, domain: sys::virDomainPtr, _reason: c_int, opaque: *mut c_void) {
    // SAFETY: libvirt lends the domain for this call, and `opaque` is what `lend` made.
    let (vm, notifier) = unsafe { (vm(domain), borrow(opaque)) };
    if let Some(vm) = vm {
        notifier.send_event(HostEvent::WokeUp(vm));
    }
}

unsafe extern "C" fn on_job_completed(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    list: sys::virTypedParameterPtr,
    len: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: libvirt lends the domain and the list for this call, and `opaque` is what `lend` made.
    let (vm, list, notifier) = unsafe { (vm(domain), typed_params::from_libvirt(list, len), borrow(opaque)) };
    if let Some(vm) = vm
        && job_statistics::is_migration(list)
    {
        notifier.send_event(HostEvent::JobCompleted(vm, job_statistics::statistics(list)));
    }
}

/// The id of a domain. libvirt's client knows it without a call to the daemon.
///
/// # Safety
/// `domain` is valid.
unsafe fn vm(domain: sys::virDomainPtr) -> Option<VmId> {
    let mut uuid = uuid::Bytes::default();
    // SAFETY: the caller vouches for the domain, and a UUID has 16 bytes.
    let result = unsafe { sys::virDomainGetUUID(domain, uuid.as_mut_ptr()) };
    (result == 0).then(|| VmId(Uuid::from_bytes(uuid)))
}

/// Makes a callback's `opaque` pointer from a notifier: a reference of its own, until `give_back`.
fn lend(notifier: &Arc<Notifier>) -> *mut c_void {
    Arc::into_raw(notifier.clone()).cast_mut().cast()
}

/// # Safety
/// `opaque` comes from `lend` and was not given back yet.
unsafe fn borrow<'a>(opaque: *mut c_void) -> &'a Notifier {
    // SAFETY: as the caller says.
    unsafe { &*opaque.cast::<Notifier>().cast_const() }
}

/// libvirt calls this once for each callback that is deregistered.
unsafe extern "C" fn give_back(opaque: *mut c_void) {
    // SAFETY: `opaque` comes from `lend`, and libvirt calls this once for each.
    drop(unsafe { Arc::from_raw(opaque.cast::<Notifier>().cast_const()) });
}

/// The error of a registration that failed, after which `opaque` is still ours.
fn refused(opaque: *mut c_void) -> LibvirtError {
    let error = LibvirtError::last();
    // SAFETY: `opaque` comes from `lend`, and libvirt does not call `give_back` for what it did not register.
    unsafe { give_back(opaque) };
    error
}

#[cfg(test)]
mod tests {
    use engine::HostErrorKind;
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::connection::testing;

    #[test]
    fn changes_are_sent_until_the_callbacks_are_deregistered() {
        let mut connection = testing::connection();
        let (sender, mut events) = unbounded_channel();
        connection.notify_changes(&Arc::new(Notifier::new("alpha".parse().unwrap(), sender))).unwrap();
        let vm = testing::define(&connection, "changing");
        // Events of other tests' VMs arrive, too.
        while events.blocking_recv().unwrap() != HostEvent::Changed(vm) {}
        drop(connection);
        // Ends only when the last sender is dropped: libvirt has given the callbacks' references back.
        while events.blocking_recv().is_some() {}
    }

    #[test]
    fn the_end_is_sent_once_and_no_event_after_it() {
        let (sender, mut events) = unbounded_channel();
        let notifier = Notifier::new("alpha".parse().unwrap(), sender);
        notifier.send_closed(sys::VIR_CONNECT_CLOSE_REASON_KEEPALIVE as c_int);
        notifier.send_closed(sys::VIR_CONNECT_CLOSE_REASON_EOF as c_int);
        notifier.send_event(HostEvent::Changed(VmId(Uuid::nil())));
        let Some(HostEvent::Closed(problem)) = events.blocking_recv() else { panic!("not closed") };
        assert_eq!(problem.kind, HostErrorKind::Unreachable);
        assert_eq!(problem.sentence, "alpha does not answer: it no longer replies.");
        assert_eq!(events.blocking_recv(), None);
    }
}
