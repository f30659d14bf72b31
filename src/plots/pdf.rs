//! A scene as vector PDF: paths stay paths, texts stay texts with the font inside.
//!
//! Written with pdf-writer from the scene itself, not from the SVG. Coordinates are points from the
//! lower left corner. Letters that the font lacks show its sign for a missing one; the text that is
//! copied out is right all the same.

use std::collections::BTreeMap;

use ab_glyph::Font;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::font;
use super::palette::Rgb;
use super::scene::{Anchor, Item, Scene, Text};

/// Points in a millimetre.
const POINTS: f64 = 72.0 / 25.4;
/// A quarter of a circle as a cubic curve.
const ARC: f32 = 0.552_284_8;
const FACES: [Name<'static>; 2] = [Name(b"Regular"), Name(b"Bold")];

/// The scene as a PDF of one page.
pub(super) fn write(scene: &Scene, title: &str) -> Vec<u8> {
    let mut next = 0;
    let mut id = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, pages, page, content, info) = (id(), id(), id(), id(), id());
    let faces = [false, true].map(|bold| Face::of(scene, bold, &mut id));
    let opacities = opacities(scene, &mut id);

    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("nsys-attrib"));
    let mut sheet = pdf.page(page);
    sheet.parent(pages).contents(content);
    sheet.media_box(Rect::new(0.0, 0.0, pt(scene.width), pt(scene.height)));
    let mut resources = sheet.resources();
    let mut fonts = resources.fonts();
    for face in faces.iter().flatten() {
        fonts.pair(FACES[usize::from(face.bold)], face.font);
    }
    fonts.finish();
    let mut states = resources.ext_g_states();
    for (opacity, state) in &opacities {
        states.pair(Name(state_name(*opacity).as_bytes()), *state);
    }
    states.finish();
    resources.finish();
    sheet.finish();
    for (opacity, state) in &opacities {
        pdf.ext_graphics(*state).non_stroking_alpha(f32::from(*opacity) / 100.0);
    }
    let painted = Painter { height: scene.height, faces: &faces }.paint(scene);
    pdf.stream(content, &painted);
    for face in faces.iter().flatten() {
        face.write(&mut pdf);
    }
    pdf.finish()
}

fn pt(mm: f64) -> f32 {
    ((mm * POINTS * 1000.0).round() / 1000.0) as f32
}

fn percent(opacity: f64) -> u8 {
    (opacity.clamp(0.0, 1.0) * 100.0).round() as u8
}

fn state_name(opacity: u8) -> String {
    format!("O{opacity}")
}

/// The opacities that occur, in percent.
fn opacities(scene: &Scene, id: &mut impl FnMut() -> Ref) -> BTreeMap<u8, Ref> {
    let mut found = BTreeMap::new();
    for item in &scene.items {
        if let Item::Rect { opacity, .. } = item
            && percent(*opacity) < 100
        {
            found.entry(percent(*opacity)).or_insert_with(&mut *id);
        }
    }
    found
}

struct Painter<'a> {
    height: f64,
    faces: &'a [Option<Face>; 2],
}

impl Painter<'_> {
    fn paint(&self, scene: &Scene) -> Vec<u8> {
        let mut content = Content::new();
        for item in &scene.items {
            match item {
                Item::Rect { x, y, width, height, fill, opacity } => {
                    let translucent = percent(*opacity) < 100;
                    if translucent {
                        content.save_state();
                        content.set_parameters(Name(state_name(percent(*opacity)).as_bytes()));
                    }
                    ink(&mut content, *fill);
                    content
                        .rect(pt(*x), self.up(y + height), pt(*width), pt(*height))
                        .fill_nonzero();
                    if translucent {
                        content.restore_state();
                    }
                }
                Item::Line { points, width, color } => {
                    self.line(&mut content, points, *width, *color);
                }
                Item::Dot { x, y, radius, fill } => {
                    self.dot(&mut content, (*x, *y), *radius, *fill);
                }
                Item::Text(text) => self.text(&mut content, text),
            }
        }
        content.finish().to_vec()
    }

    /// From the upper edge to the lower one, in points.
    fn up(&self, y: f64) -> f32 {
        pt(self.height - y)
    }

    fn line(&self, content: &mut Content, points: &[(f64, f64)], width: f64, color: Rgb) {
        let [r, g, b] = channels(color);
        content.set_stroke_rgb(r, g, b).set_line_width(pt(width));
        for (i, (x, y)) in points.iter().enumerate() {
            let (x, y) = (pt(*x), self.up(*y));
            if i == 0 {
                content.move_to(x, y)
            } else {
                content.line_to(x, y)
            };
        }
        content.stroke();
    }

    fn dot(&self, content: &mut Content, (x, y): (f64, f64), radius: f64, fill: Rgb) {
        ink(content, fill);
        let (x, y, r) = (pt(x), self.up(y), pt(radius));
        let k = r * ARC;
        content.move_to(x + r, y);
        content.cubic_to(x + r, y + k, x + k, y + r, x, y + r);
        content.cubic_to(x - k, y + r, x - r, y + k, x - r, y);
        content.cubic_to(x - r, y - k, x - k, y - r, x, y - r);
        content.cubic_to(x + k, y - r, x + r, y - k, x + r, y);
        content.fill_nonzero();
    }

    fn text(&self, content: &mut Content, text: &Text) {
        let Some(face) = &self.faces[usize::from(text.bold)] else { return };
        let before = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => text.length() / 2.0,
            Anchor::End => text.length(),
        };
        ink(content, text.color);
        content.begin_text().set_font(FACES[usize::from(text.bold)], text.pt as f32);
        if text.upward {
            let (x, y) = (pt(text.x), self.up(text.y + before));
            content.set_text_matrix([0.0, 1.0, -1.0, 0.0, x, y]);
        } else {
            content.set_text_matrix([1.0, 0.0, 0.0, 1.0, pt(text.x - before), self.up(text.y)]);
        }
        content.show(Str(&face.encode(&text.text))).end_text();
    }
}

fn channels(color: Rgb) -> [f32; 3] {
    [color.0, color.1, color.2].map(|part| (f32::from(part) / 255.0 * 1000.0).round() / 1000.0)
}

fn ink(content: &mut Content, color: Rgb) {
    let [r, g, b] = channels(color);
    content.set_fill_rgb(r, g, b);
}

/// A face of the font, as it stands in the file.
struct Face {
    bold: bool,
    font: Ref,
    descendant: Ref,
    descriptor: Ref,
    unicode: Ref,
    file: Ref,
    glyphs: Ref,
    /// The letters that occur, under numbers of this file: those that the font lacks need one, too.
    codes: BTreeMap<char, u16>,
}

impl Face {
    /// The face, if a text uses it.
    fn of(scene: &Scene, bold: bool, id: &mut impl FnMut() -> Ref) -> Option<Self> {
        let mut codes = BTreeMap::new();
        for c in scene.texts().filter(|text| text.bold == bold).flat_map(|text| text.text.chars()) {
            codes.insert(c, 0);
        }
        for (code, place) in (1..).zip(codes.values_mut()) {
            *place = code;
        }
        (!codes.is_empty()).then(|| Self {
            bold,
            font: id(),
            descendant: id(),
            descriptor: id(),
            unicode: id(),
            file: id(),
            glyphs: id(),
            codes,
        })
    }

    fn encode(&self, text: &str) -> Vec<u8> {
        text.chars()
            .filter_map(|c| self.codes.get(&c))
            .flat_map(|code| code.to_be_bytes())
            .collect()
    }

    fn write(&self, pdf: &mut Pdf) {
        let name = if self.bold { "RobotoCondensed-Bold" } else { "RobotoCondensed-Regular" };
        let name = Name(name.as_bytes());
        let system =
            SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        pdf.type0_font(self.font)
            .base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(self.descendant)
            .to_unicode(self.unicode);
        let (widths, glyphs) = self.letters();
        let mut descendant = pdf.cid_font(self.descendant);
        descendant
            .subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(system)
            .font_descriptor(self.descriptor)
            .default_width(0.0);
        descendant.widths().consecutive(1, widths);
        descendant.cid_to_gid_map_stream(self.glyphs);
        descendant.finish();
        pdf.stream(self.glyphs, &glyphs);
        pdf.font_descriptor(self.descriptor)
            .name(name)
            .flags(FontFlags::NON_SYMBOLIC)
            .bbox(Rect::new(-300.0, -300.0, 1200.0, 1100.0))
            .italic_angle(0.0)
            .ascent(928.0)
            .descent(-244.0)
            .cap_height(711.0)
            .stem_v(if self.bold { 140.0 } else { 80.0 })
            .font_file2(self.file);
        let mut unicode = UnicodeCmap::new(Name(b"Letters"), system);
        for (c, code) in &self.codes {
            unicode.pair(*code, *c);
        }
        pdf.cmap(self.unicode, &unicode.finish());
        let bytes = if self.bold { font::BOLD } else { font::REGULAR };
        pdf.stream(self.file, bytes).pair(Name(b"Length1"), bytes.len() as i32);
    }

    /// Width (thousandths of an em) and glyph of every code from 1 on.
    fn letters(&self) -> (Vec<f32>, Vec<u8>) {
        let mut widths = Vec::new();
        let mut glyphs = vec![0, 0];
        for c in self.codes.keys() {
            let mut one = [0; 4];
            let em = font::width(c.encode_utf8(&mut one), 1.0, self.bold) / font::mm(1.0);
            widths.push((em * 1000.0).round() as f32);
            let glyph = font::face(self.bold).map_or(0, |face| face.glyph_id(*c).0);
            glyphs.extend(glyph.to_be_bytes());
        }
        (widths, glyphs)
    }
}
