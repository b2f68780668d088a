//! Treemaps: rectangles whose areas are sizes, groups of them side by side, as SVG.
//!
//! The layout is the one that keeps rectangles near to squares (Bruls, Huizing, van Wijk: Squarified
//! Treemaps, 2000).

use std::fmt::Write as _;

use super::page::{escape, size};

/// The picture's width, in its own units.
const WIDTH: f64 = 1000.0;
/// The picture's height.
const HEIGHT: f64 = 520.0;
/// The height of a group's name.
const HEAD: f64 = 16.0;
/// Groups that are drawn at most; the rest is one.
const GROUPS: usize = 24;
/// Items of a group that are drawn at most; the rest is one.
const ITEMS: usize = 24;
/// Colours of groups, by turns; white text is readable on each.
const COLOURS: [&str; 8] =
    ["#3b6ea8", "#8a5a9e", "#2f7d6b", "#a8633b", "#5d6b7a", "#98476a", "#5f7a2f", "#7a5c3a"];

/// Something with a size.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub group: String,
    pub name: String,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// The picture; its groups are sorted by size.
pub(super) fn svg(label: &str, items: &[Item]) -> String {
    let groups = groups(items);
    let total: u64 = groups.iter().map(|(_, bytes, _)| bytes).sum();
    let whole = Area { x: 0.0, y: 0.0, w: WIDTH, h: HEIGHT };
    let sizes: Vec<u64> = groups.iter().map(|(_, bytes, _)| *bytes).collect();
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escape(label)
    );
    for (at, ((name, bytes, items), area)) in
        groups.iter().zip(squarified(&sizes, whole)).enumerate()
    {
        let colour = COLOURS.get(at % COLOURS.len()).copied().unwrap_or_default();
        let _ = writeln!(svg, "<g>");
        rectangle(
            &mut svg,
            area,
            colour,
            &format!("{name}: {}, {}", size(*bytes), share(*bytes, total)),
        );
        let head = if area.h > 2.5 * HEAD && area.w > 40.0 { HEAD } else { 0.0 };
        let inner = Area {
            x: area.x + 1.0,
            y: area.y + 1.0 + head,
            w: (area.w - 2.0).max(0.0),
            h: (area.h - 2.0 - head).max(0.0),
        };
        if inner.w > 4.0 && inner.h > 4.0 {
            let sizes: Vec<u64> = items.iter().map(|(_, bytes)| *bytes).collect();
            for ((item, bytes), area) in items.iter().zip(squarified(&sizes, inner)) {
                rectangle(&mut svg, area, colour, &format!("{item}\n{name}: {}", size(*bytes)));
                if items.len() > 1 || head == 0.0 {
                    let short = item.rsplit('/').next().unwrap_or(item);
                    words(&mut svg, area, short, 10.0);
                }
            }
        }
        if head > 0.0 {
            words(&mut svg, Area { h: HEAD, ..area }, &format!("{name} {}", size(*bytes)), 12.0);
        }
        svg.push_str("</g>\n");
    }
    svg + "</svg>\n"
}

fn share(bytes: u64, total: u64) -> String {
    let tenths = bytes.saturating_mul(1000).checked_div(total).unwrap_or_default();
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn rectangle(svg: &mut String, Area { x, y, w, h }: Area, colour: &str, title: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" fill=\"{colour}\" stroke=\"#fff\" \
         stroke-opacity=\".55\"><title>{}</title></rect>",
        escape(title)
    );
}

/// A name where it fits.
fn words(svg: &mut String, Area { x, y, w, h }: Area, text: &str, height: f64) {
    let wide = height * 0.58;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few hundred letters
    let letters = ((w - 6.0) / wide).max(0.0) as usize;
    if letters < 4 || h < height + 2.0 {
        return;
    }
    let short: String = if text.chars().count() > letters {
        text.chars().take(letters - 1).chain(['\u{2026}']).collect()
    } else {
        text.to_owned()
    };
    let (x, y) = (x + 3.0, y + height + 0.5);
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{height}\" fill=\"#fff\" pointer-events=\"none\">{}</text>",
        escape(&short)
    );
}

/// Name, size, and items with their sizes.
type Group = (String, u64, Vec<(String, u64)>);

/// The groups, the largest first, what is small of each put together.
fn groups(items: &[Item]) -> Vec<Group> {
    let mut by_name: std::collections::BTreeMap<&str, Vec<(String, u64)>> = Default::default();
    for item in items.iter().filter(|item| item.bytes > 0) {
        by_name.entry(&item.group).or_default().push((item.name.clone(), item.bytes));
    }
    let sum = |items: &[(String, u64)]| items.iter().map(|(_, bytes)| bytes).sum::<u64>();
    let mut groups: Vec<Group> =
        by_name.into_iter().map(|(name, items)| (name.to_owned(), sum(&items), items)).collect();
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if groups.len() > GROUPS {
        let rest = groups.split_off(GROUPS - 1);
        let count = rest.len();
        let items: Vec<(String, u64)> =
            rest.into_iter().map(|(name, bytes, _)| (name, bytes)).collect();
        groups.push((format!("{count} smaller ones"), sum(&items), items));
    }
    for (_, _, items) in &mut groups {
        items.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if items.len() > ITEMS {
            let rest = items.split_off(ITEMS - 1);
            items.push((format!("{} smaller ones", rest.len()), sum(&rest)));
        }
    }
    groups
}

/// Where each of these sizes, which are sorted, has its place within the area.
fn squarified(sizes: &[u64], mut area: Area) -> Vec<Area> {
    #[allow(clippy::cast_precision_loss)] // areas of a picture
    let value = |bytes: u64| bytes as f64;
    let total: f64 = sizes.iter().map(|bytes| value(*bytes)).sum();
    let scale = if total > 0.0 { area.w * area.h / total } else { 0.0 };
    let mut places = Vec::with_capacity(sizes.len());
    let mut rest = sizes;
    while !rest.is_empty() {
        let side = area.w.min(area.h);
        // As many in a row as make its worst rectangle better.
        let (mut count, mut row, mut worst) = (0, 0.0, f64::INFINITY);
        for bytes in rest {
            let longer = row + value(*bytes) * scale;
            let largest = value(rest.first().copied().unwrap_or_default()) * scale;
            let smallest = value(*bytes) * scale;
            let (square, sum) = (side * side, longer * longer);
            let ratio =
                (square * largest / sum).max(sum / (square * smallest).max(f64::MIN_POSITIVE));
            if count > 0 && ratio > worst {
                break;
            }
            (count, row, worst) = (count + 1, longer, ratio);
        }
        let (these, others) = rest.split_at(count);
        let thick = if side > 0.0 { row / side } else { 0.0 };
        let mut along = 0.0;
        for bytes in these {
            let length = if thick > 0.0 { value(*bytes) * scale / thick } else { 0.0 };
            places.push(if area.w >= area.h {
                Area { x: area.x, y: area.y + along, w: thick, h: length }
            } else {
                Area { x: area.x + along, y: area.y, w: length, h: thick }
            });
            along += length;
        }
        area = if area.w >= area.h {
            Area { x: area.x + thick, w: (area.w - thick).max(0.0), ..area }
        } else {
            Area { y: area.y + thick, h: (area.h - thick).max(0.0), ..area }
        };
        rest = others;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_sizes_and_stay_inside() {
        let sizes: [u32; 8] = [600, 600, 400, 300, 200, 200, 100, 1];
        let whole = Area { x: 5.0, y: 7.0, w: 60.0, h: 40.0 };
        let places = squarified(&sizes.map(u64::from), whole);
        assert_eq!(places.len(), sizes.len());
        let total: f64 = sizes.iter().map(|size| f64::from(*size)).sum();
        for (place, size) in places.iter().zip(sizes) {
            let wanted = f64::from(size) / total * whole.w * whole.h;
            assert!((place.w * place.h - wanted).abs() < 1e-6, "{place:?}");
            assert!(place.x >= 5.0 - 1e-9 && place.x + place.w <= 65.0 + 1e-6, "{place:?}");
            assert!(place.y >= 7.0 - 1e-9 && place.y + place.h <= 47.0 + 1e-6, "{place:?}");
        }
    }

    #[test]
    fn small_things_are_put_together_and_nothing_is_lost() {
        let item = |at: u64| Item { group: format!("g{at}"), name: format!("/f{at}"), bytes: at };
        let items: Vec<Item> = (0..200).map(item).collect();
        let all = groups(&items);
        assert_eq!(all.len(), GROUPS);
        assert_eq!(all.iter().map(|group| group.1).sum::<u64>(), (0..200).sum::<u64>());
        for (_, bytes, items) in all {
            assert!(items.len() <= ITEMS);
            assert_eq!(items.iter().map(|item| item.1).sum::<u64>(), bytes);
        }
        assert!(svg("x", &items).contains("smaller ones"));
        assert!(!svg("nothing", &[]).contains("<rect"));
    }
}
