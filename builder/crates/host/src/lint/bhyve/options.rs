//! The option `-s` of bhyve(8): `[BUS:]SLOT[:FUNCTION],DEVICE[,CONFIGURATION]`.

/// Where such an option puts its device: bus, slot, function.
///
/// # Errors
/// The reason, for a message.
pub(crate) fn option_place(value: &str) -> Result<(u8, u8, u8), String> {
    let (place, device) =
        value.split_once(',').ok_or_else(|| format!("-s {value}: expected SLOT,DEVICE"))?;
    if device.is_empty() {
        return Err(format!("-s {value}: no device is named"));
    }
    let numbers: Vec<u16> = place
        .split(':')
        .map(|part| part.parse().map_err(|_| format!("-s {value}: {part:?} is no number")))
        .collect::<Result<_, _>>()?;
    let (bus, slot, function) = match *numbers.as_slice() {
        [slot] => (0, slot, 0),
        [slot, function] => (0, slot, function),
        [bus, slot, function] => (bus, slot, function),
        _ => return Err(format!("-s {value}: expected [BUS:]SLOT[:FUNCTION]")),
    };
    let limited = |number: u16, limit: u8, what: &str| {
        let number = u8::try_from(number).ok().filter(|number| *number <= limit);
        number.ok_or_else(|| format!("-s {value}: {what} go to {limit}"))
    };
    let bus = limited(bus, 255, "buses")?;
    Ok((bus, limited(slot, 31, "slots")?, limited(function, 7, "functions")?))
}
