#!/usr/bin/env python3
"""A seed -> label.jpg: a picture of a motor's rating plate, as a camera at the line would take it.

Needs Debian's python3-numpy, python3-pil and fonts-dejavu-core. See README.md beside this file.

    /usr/bin/python3 make-label.py [--seed 7] [--out label.jpg]

The scene is worked out in linear light: a brushed aluminium plate (ink, engraving, rivets, scratches) on a painted
housing, warped by a perspective, then seen by a lens and a sensor (focus, fringe, vignette, noise, tone curve).
"""
import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1280, 960          # the picture
SUPER = 2                          # rendered at this multiple, then averaged down
PLATE_W, PLATE_H = 2400, 1560      # texels of the plate
FONTS = Path('/usr/share/fonts/truetype/dejavu')
# Where the plate's corners lie in the picture: top left, top right, bottom right, bottom left.
CORNERS = [(142, 128), (1152, 84), (1188, 806), (106, 764)]

CODE128 = (
    '212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221'
    '223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321'
    '112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131'
    '311123311321331121312113312311332111314111221411431111111224111422121124121421141122141221112214112412122114'
    '122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141'
    '214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214211232'
)
CODE128_STOP = '2331112'


# ---------------------------------------------------------------- small tools

def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / f'{name}.ttf'), size)


def blur(field: np.ndarray, sigma_x: float, sigma_y: float | None = None) -> np.ndarray:
    """Gaussian blur of a [height, width] float field, in texels, through the Fourier domain (wraps at the borders)."""
    sigma_y = sigma_x if sigma_y is None else sigma_y
    fy = np.fft.fftfreq(field.shape[0])[:, None]
    fx = np.fft.rfftfreq(field.shape[1])[None, :]
    kernel = np.exp(-2 * np.pi**2 * ((fx * sigma_x) ** 2 + (fy * sigma_y) ** 2))
    return np.fft.irfft2(np.fft.rfft2(field) * kernel, s=field.shape)


def noise(rng, shape, sigma_x: float, sigma_y: float | None = None) -> np.ndarray:
    """Smoothed noise with mean 0 and deviation 1."""
    field = blur(rng.standard_normal(shape), sigma_x, sigma_y)
    return (field - field.mean()) / field.std()


def mask(draw_on, size) -> np.ndarray:
    """What `draw_on(draw, image)` paints in white on black, as floats in [0, 1]."""
    image = Image.new('L', size, 0)
    draw_on(ImageDraw.Draw(image), image)
    return np.asarray(image, dtype=np.float64) / 255


def slope_light(height: np.ndarray, light=(-0.6, -0.8)) -> np.ndarray:
    """How much a slope faces the light: the directional derivative of a height field."""
    gy, gx = np.gradient(height)
    return -(gx * light[0] + gy * light[1])


# ---------------------------------------------------------------- what is on the plate

def code128_widths(text: str) -> list[int]:
    """Bar and space widths of `text` in Code 128, set B, with start, check symbol and stop."""
    values = [104] + [ord(character) - 32 for character in text]
    check = (values[0] + sum(place * value for place, value in enumerate(values[1:], 1))) % 103
    patterns = [CODE128[6 * value:6 * value + 6] for value in [*values, check]]
    return [int(digit) for digit in ''.join(patterns) + CODE128_STOP]


def draw_barcode(draw, x: float, y: int, width: int, height: int, text: str) -> None:
    widths = code128_widths(text)
    module = width / sum(widths)
    for index, units in enumerate(widths):
        if index % 2 == 0:
            draw.rectangle([round(x), y, round(x + units * module) - 1, y + height], fill=255)
        x += units * module


def draw_emblem(draw, cx: int, cy: int, radius: int) -> None:
    """A gear with a wave in it: the maker's mark."""
    for tooth in range(12):
        angle = tooth * np.pi / 6
        corners = [(angle - 0.13, radius * 0.8), (angle - 0.09, radius), (angle + 0.09, radius), (angle + 0.13, radius * 0.8)]
        draw.polygon([(cx + r * np.cos(a), cy + r * np.sin(a)) for a, r in corners], fill=0)
    draw.ellipse([cx - radius * 0.84, cy - radius * 0.84, cx + radius * 0.84, cy + radius * 0.84], fill=0)
    draw.ellipse([cx - radius * 0.62, cy - radius * 0.62, cx + radius * 0.62, cy + radius * 0.62], fill=255)
    points = [(cx + t * radius * 0.55, cy - np.sin(t * np.pi) * radius * 0.3) for t in np.linspace(-1, 1, 40)]
    draw.line(points, fill=0, width=radius // 6, joint='curve')


def draw_header(draw) -> None:
    draw.rounded_rectangle([190, 70, PLATE_W - 190, 316], 26, fill=255)
    draw_emblem(draw, 326, 193, 92)
    draw.text((448, 96), 'OSTERVALE MOTION', font=font('DejaVuSans-Bold', 118), fill=0)
    draw.text((454, 232), 'Three-phase induction motor', font=font('DejaVuSansCondensed', 60), fill=0)
    draw.text((PLATE_W - 450, 120), 'IE4', font=font('DejaVuSans-Bold', 122), fill=0)


TABLE_X = [70, 470, 760, 1090, 1400, 1740, 2060, PLATE_W - 70]
TABLE_Y = [690, 790, 910, 1030]
FIELDS = [
    (92, 350, 'Type'), (92, 462, 'Serial No.'), (92, 574, 'Date code'),
    (1390, 350, 'Duty'), (1390, 462, 'Ins. class'), (1390, 574, 'Mass'),
]


def draw_print(draw, _image) -> None:
    """Everything the printer put there: names of fields, rules, table heads, bar code."""
    draw_header(draw)
    label = font('DejaVuSansCondensed', 60)
    for x, y, text in FIELDS:
        draw.text((x, y + 16), text, font=label, fill=255)
        right = 1330 if x < 1000 else PLATE_W - 70
        draw.line([(x, y + 104), (right, y + 104)], fill=255, width=5)
    for x in TABLE_X:
        draw.line([(x, TABLE_Y[0]), (x, TABLE_Y[-1])], fill=255, width=6)
    for y in TABLE_Y:
        draw.line([(TABLE_X[0], y), (TABLE_X[-1], y)], fill=255, width=6)
    for column, head in enumerate(['V', 'Hz', 'kW', 'A', '1/min', 'cos φ', 'η %']):
        middle = (TABLE_X[column] + TABLE_X[column + 1]) / 2
        draw.text((middle, TABLE_Y[0] + 52), head, font=font('DejaVuSansCondensed-Bold', 62), fill=255, anchor='mm')
    draw_barcode(draw, 110, 1090, 1120, 190, 'OV132M4-241900738')
    draw.text((670, 1328), 'OV132M4-241900738', font=font('DejaVuSansMono', 62), fill=255, anchor='mm')
    draw.text((1330, 1078), 'DE 6208-2Z   NDE 6206-2Z', font=label, fill=255)
    draw.text((1330, 1166), 'IP 55   Amb. 40 °C', font=label, fill=255)
    draw.text((1330, 1254), 'Disconnect before opening', font=label, fill=255)
    draw.text((1330, 1350), 'Specimen plate: rendered, no such product', font=font('DejaVuSansCondensed', 40), fill=255)
    draw.rounded_rectangle([34, 34, PLATE_W - 34, PLATE_H - 34], 46, outline=255, width=7)


def engraved(rng) -> np.ndarray:
    """The values a marking laser put there: one by one, so never quite on the line."""
    entries = [
        (520, 350, 'OV-132M-4B', 86), (520, 462, '2419-0073856', 86), (520, 574, '2024-W19', 86),
        (1830, 350, 'S1', 86), (1830, 462, 'F / B', 86), (1830, 574, '68 kg', 86),
    ]
    rows = [['400 Y', '50', '7.5', '14.8', '1465', '0.84', '92.6'], ['460 Y', '60', '8.6', '14.6', '1768', '0.85', '92.9']]
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            width = font('DejaVuSansMono', 74).getlength(value)
            entries.append(((TABLE_X[column] + TABLE_X[column + 1] - width) / 2, TABLE_Y[row + 1] + 14, value, 74))
    total = np.zeros((PLATE_H, PLATE_W))
    for x, y, text, size in entries:
        dx, dy = rng.uniform(-7, 7, 2)
        turn = rng.uniform(-0.25, 0.25)

        def paint(draw, image, at=(x + dx, y + dy), text=text, size=size, turn=turn):
            draw.text(at, text, font=font('DejaVuSansMono-Bold', size), fill=255)
            image.paste(image.rotate(turn, center=at, resample=Image.BICUBIC))

        total = np.maximum(total, mask(paint, (PLATE_W, PLATE_H)))
    return total


RIVETS = [(x, y) for x in (114, PLATE_W - 114) for y in (114, PLATE_H - 104)]


def rivet_height() -> np.ndarray:
    """Domed heads near the corners, in texels of height."""
    y, x = np.mgrid[0:PLATE_H, 0:PLATE_W]
    height = np.zeros((PLATE_H, PLATE_W))
    for cx, cy in RIVETS:
        distance = np.hypot(x - cx, y - cy) / 44
        height = np.maximum(height, 34 * np.clip(1 - distance**4, 0, 1) ** 0.7)
    return height


def ring_around_rivets() -> np.ndarray:
    """The dark joint between a rivet's head and the plate, 1 at its deepest."""
    y, x = np.mgrid[0:PLATE_H, 0:PLATE_W]
    nearest = np.min([np.hypot(x - cx - 3, y - cy - 4) for cx, cy in RIVETS], axis=0)
    return np.exp(-(((nearest - 47) / 6) ** 2))


def scratches(rng) -> tuple[np.ndarray, np.ndarray]:
    """One deep scratch with a turn in it, and many hair lines: (ink taken away, bright metal)."""
    def deep(draw, _image):
        t = np.linspace(0, 1, 240)
        x = 1500 + 640 * t + 40 * np.sin(3 * t)
        y = 300 + 520 * t**1.25 - 60 * np.sin(np.pi * t)
        wobble = np.cumsum(rng.standard_normal(240)) * 0.5
        for index in range(239):
            width = 2 + int(5 * np.sin(np.pi * t[index]) * rng.uniform(0.5, 1.0))
            draw.line([(x[index], y[index] + wobble[index]), (x[index + 1], y[index + 1] + wobble[index + 1])], fill=255, width=width)

    def hair(draw, _image):
        for _ in range(70):
            x, y = rng.uniform(0, PLATE_W), rng.uniform(0, PLATE_H)
            length, angle = rng.exponential(150), rng.normal(0.35, 0.5)
            end = (x + length * np.cos(angle), y + length * np.sin(angle))
            draw.line([(x, y), end], fill=int(rng.uniform(30, 110)), width=2)

    size = (PLATE_W, PLATE_H)
    cut = blur(mask(deep, size), 1.0)
    return cut, np.clip(cut + 0.5 * blur(mask(hair, size), 0.8), 0, 1)


def plate_texture(rng) -> tuple[np.ndarray, np.ndarray]:
    """The plate in linear light, [height, width, 3], and its coverage."""
    shape = (PLATE_H, PLATE_W)
    y, x = np.mgrid[0:PLATE_H, 0:PLATE_W]
    u, v = x / PLATE_W, y / PLATE_H
    brush = 0.55 * noise(rng, shape, 130, 0.8) + 0.35 * noise(rng, shape, 30, 0.7) + 0.25 * noise(rng, shape, 420, 1.6)
    cloud = noise(rng, shape, 260, 170)
    smear = np.clip(noise(rng, shape, 150, 60) - 0.9, 0, 2)
    # Brushed metal mirrors a lamp as a broad band across the grain; the grain shakes where the band falls.
    band = np.exp(-(((u * 0.75 + v * 0.65 - 0.36) + 0.012 * brush) / 0.30) ** 2)
    lamp = (0.17 + 0.43 * band + 0.020 * cloud) * (1.06 - 0.30 * u - 0.22 * v)
    metal = lamp * (1 + 0.075 * brush) * (1 - 0.10 * smear)

    cut, bright = scratches(rng)
    ink = mask(draw_print, (PLATE_W, PLATE_H))
    worn = np.clip(1.06 - 0.10 * np.clip(noise(rng, shape, 7) - 1.2, 0, 3) - 0.16 * np.clip(noise(rng, shape, 60, 25) - 1.3, 0, 2), 0, 1)
    speck = (noise(rng, shape, 1.6) < 3.3).astype(float)
    ink = blur(ink, 1.1) * worn * blur(speck, 0.8) * (1 - 0.9 * cut)
    burn = blur(engraved(rng), 1.3) * np.clip(0.93 + 0.06 * noise(rng, shape, 3), 0, 1) * (1 - 0.75 * cut)

    dome = rivet_height()
    relief = 0.16 * slope_light(blur(dome, 4)) - 0.06 * slope_light(blur(burn, 1.2)) - 0.35 * slope_light(blur(cut, 1.2))
    gloss = 0.004 + 0.035 * band
    rgb = np.empty((*shape, 3))
    for channel, (tint, ink_colour, burn_colour) in enumerate([(1.00, 0.012, 0.040), (1.005, 0.017, 0.034), (1.02, 0.036, 0.031)]):
        colour = metal * tint
        colour = colour * (1 - burn) + burn_colour * burn
        colour = colour * (1 - ink) + (ink_colour + gloss * (1 + 0.2 * brush)) * ink
        colour = colour * (1 - 0.5 * bright) + 0.5 * bright * (lamp * 1.35)
        rgb[..., channel] = colour + relief * (0.4 + lamp)
    ring = ring_around_rivets()
    rgb *= (1 - 0.5 * ring)[..., None]

    coverage = mask(lambda draw, _: draw.rounded_rectangle([4, 4, PLATE_W - 5, PLATE_H - 5], 70, fill=255), (PLATE_W, PLATE_H))
    edge = slope_light(blur(coverage, 3))
    rgb += (0.9 * edge)[..., None]
    return np.clip(rgb, 0.003, None), coverage


# ---------------------------------------------------------------- the housing behind it

SCREW = (1212 * SUPER, 888 * SUPER, 40 * SUPER)


def housing(rng, shape) -> np.ndarray:
    """Blue-green enamel with the skin of an orange, a milled groove above and a screw out of the way below."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    u, v = x / width, y / height
    skin = slope_light(noise(rng, shape, 5 * SUPER) * 5 + noise(rng, shape, 12 * SUPER) * 5)
    light = 0.40 + 0.75 * np.exp(-(((u - 0.28) / 0.55) ** 2 + ((v - 0.22) / 0.6) ** 2)) - 0.12 * u
    depth = np.zeros(shape)
    centre = (0.055 - 0.022 * u) * height
    depth -= 14 * np.exp(-(((y - centre) / (9 * SUPER)) ** 4))
    depth += screw_depth(x, y, *SCREW)
    relief = slope_light(blur(depth, 1.6 * SUPER))
    light = light * (1 + 0.09 * skin) + 0.10 * relief + 0.02 * noise(rng, shape, 200 * SUPER)
    dust = blur((rng.random(shape) > 0.99994).astype(float), 1.4 * SUPER) * 6
    paint = np.array([0.060, 0.118, 0.128])
    zinc = 1 / (1 + np.exp(np.clip((np.hypot(x - SCREW[0], y - SCREW[1]) - SCREW[2]) / 3, -50, 50)))
    glint = 0.010 * np.clip(skin, 0, None) ** 2 * light + 0.02 * dust
    bare = (light + 0.25 * relief)[..., None] * np.array([0.30, 0.29, 0.27])
    painted = light[..., None] * paint + glint[..., None]
    return np.clip(painted * (1 - zinc[..., None]) + bare * zinc[..., None], 0.004, None)


def screw_depth(x, y, cx, cy, radius) -> np.ndarray:
    """A socket-head screw: a disc with a rim and a hexagonal hole."""
    distance = np.clip(np.hypot(x - cx, y - cy), 0, 4 * radius)
    angle = np.arctan2(y - cy, x - cx) + 0.2
    hexagon = distance * np.cos(np.mod(angle, np.pi / 3) - np.pi / 6)
    disc = 26 / (1 + np.exp((distance - radius) / 3))
    return disc - 60 / (1 + np.exp((hexagon - radius * 0.45) / 2.5)) - 6 * np.exp(-(((distance - radius * 1.2) / 7) ** 2))


# ---------------------------------------------------------------- the camera

def perspective(target) -> list[float]:
    """Coefficients for Image.transform: picture point -> plate point."""
    source = [(0, 0), (PLATE_W, 0), (PLATE_W, PLATE_H), (0, PLATE_H)]
    rows, right = [], []
    for (x, y), (u, v) in zip(target, source):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return list(np.linalg.solve(np.array(rows, dtype=float), np.array(right, dtype=float)))


def warp(field: np.ndarray, coefficients, size) -> np.ndarray:
    image = Image.fromarray(field.astype(np.float32), mode='F')
    return np.asarray(image.transform(size, Image.PERSPECTIVE, coefficients, Image.BICUBIC), dtype=np.float64)


def compose(rng) -> np.ndarray:
    """The scene in linear light at SUPER times the picture's size."""
    size = (WIDTH * SUPER, HEIGHT * SUPER)
    coefficients = perspective([(x * SUPER, y * SUPER) for x, y in CORNERS])
    texture, coverage = plate_texture(rng)
    alpha = np.clip(warp(coverage, coefficients, size), 0, 1)
    scene = housing(rng, (size[1], size[0]))
    drop = np.roll(alpha, (9 * SUPER, 6 * SUPER), axis=(0, 1))
    shadow = 0.55 * blur(drop, 7 * SUPER) + 0.25 * blur(drop, 26 * SUPER)
    scene *= (1 - np.clip(shadow, 0, 0.85))[..., None]
    for channel in range(3):
        plate = warp(texture[..., channel], coefficients, size)
        scene[..., channel] = scene[..., channel] * (1 - alpha) + plate * alpha
    return scene


def lens(scene: np.ndarray) -> np.ndarray:
    """Focus that falls off to the far corner, a trace of colour fringe, glare of bright parts, dark corners."""
    height, width, _ = scene.shape
    y, x = np.mgrid[0:height, 0:width]
    u, v = x / width - 0.5, y / height - 0.5
    soft = np.clip(0.62 * np.abs(0.8 * (u - 0.12) - 0.6 * (v + 0.05)) / 0.5, 0, 1) ** 1.5
    out = np.empty_like(scene)
    for channel, grow in enumerate([1.0006, 1.0, 0.9994]):
        scaled = zoom(scene[..., channel], grow)
        sharp, wide = blur(scaled, 0.62 * SUPER), blur(scaled, 2.1 * SUPER)
        out[..., channel] = sharp * (1 - soft) + wide * soft + 0.035 * blur(scaled, 60 * SUPER)
    out *= (1 - 0.75 * (u**2 + v**2))[..., None]
    return out.reshape(height // SUPER, SUPER, width // SUPER, SUPER, 3).mean(axis=(1, 3))


def zoom(field: np.ndarray, scale: float) -> np.ndarray:
    height, width = field.shape
    shift_x, shift_y = width / 2 * (1 - 1 / scale), height / 2 * (1 - 1 / scale)
    image = Image.fromarray(field.astype(np.float32), mode='F')
    moved = image.transform((width, height), Image.AFFINE, [1 / scale, 0, shift_x, 0, 1 / scale, shift_y], Image.BILINEAR)
    out = np.asarray(moved, dtype=np.float64).copy()
    border = 4 * SUPER
    keep = np.zeros(field.shape, dtype=bool)
    keep[border:-border, border:-border] = True
    return np.where(keep, out, field)


def sensor(rng, light: np.ndarray) -> np.ndarray:
    """Shot and read noise, a little of it smeared by the demosaicing, then white balance and tone curve to 8 bits."""
    electrons = np.clip(light * 1.45, 0, None) * 5200
    grain = rng.standard_normal(light.shape) * np.sqrt(electrons + 14**2)
    for channel in range(3):
        grain[..., channel] = 0.45 * grain[..., channel] + 0.75 * blur(grain[..., channel], 0.7)
    exposed = np.clip((electrons + grain) / 5200 * np.array([1.035, 1.0, 0.955]), 0, None)
    knee = exposed / (1 + 0.30 * exposed) * 1.30
    encoded = np.where(knee <= 0.0031308, 12.92 * knee, 1.055 * np.clip(knee, 1e-6, None) ** (1 / 2.4) - 0.055)
    return np.clip(np.round(encoded * 255), 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seed', type=int, default=7)
    parser.add_argument('--out', type=Path, default=Path(__file__).parent / 'label.jpg')
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    picture = sensor(rng, lens(compose(rng)))
    Image.fromarray(picture).save(options.out, quality=93, subsampling=0)
    print(f'{options.out.name}: {WIDTH}x{HEIGHT}, {options.out.stat().st_size} bytes, seed {options.seed}')


if __name__ == '__main__':
    main()
