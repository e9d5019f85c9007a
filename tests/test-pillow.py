#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The model's input against Pillow's, on real images: for each way in which timm
and Hugging Face's transformers prepare an image a folder with that configuration
and a model, the input that the pipeline makes from it on the device, and the same
by Pillow. Fails where any of them is another number of 8 bits.

    test-pillow.py PRINT-INPUT SHARED [DOCS [--write]]

With DOCS, the table of docs/model-cards.md must be what was measured; --write puts
it there. Exit status 77: skipped, as Pillow or the images are not there."""
import json
import math
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    from onnx import TensorProto, helper
    from PIL import Image
except ImportError as error:
    print(f'skipped: {error}; python3-pil, python3-numpy and python3-onnx have it')
    sys.exit(77)

LIMIT = 0.01  # in 1/255: what is left of mean and std
NEAREST, LANCZOS, BILINEAR, BICUBIC, BOX, HAMMING = range(6)
IMAGES = ['autoware_highway_normal_1.png', 'bus.jpg', 'coral_bird_segmentation.bmp',
          'coral_cat.bmp', 'coral_cityscapes_segmentation.bmp', 'dog_bike_truck.jpg',
          'dog_samoyed.jpg', 'edgenets_sample2.jpg', 'faces_1.jpg', 'person.jpg',
          'zidane.jpg']
# cut out of the first ones: odd sizes, tall, wide, tiny
CUTS = [('bus.jpg', 333, 517), ('zidane.jpg', 641, 97), ('person.jpg', 53, 47)]


# ---- the reference: what the Python libraries do, step by step ----

def by_short_side(image, edge, filter):
    """torchvision's Resize (int), transformers' get_resize_output_image_size ()"""
    width, height = image.size
    if width <= height:
        size = edge, int(edge * height / width)
    else:
        size = int(edge * width / height), edge
    return image.resize(size, filter)


def crop_round(image, width, height):
    """torchvision's CenterCrop; black around what is too small"""
    left = max(0, (width - image.width) // 2)
    top = max(0, (height - image.height) // 2)
    canvas = Image.new('RGB', (max(width, image.width), max(height, image.height)))
    canvas.paste(image, (left, top))
    left = int(round((canvas.width - width) / 2.0))
    top = int(round((canvas.height - height) / 2.0))
    return canvas.crop((left, top, left + width, top + height))


def crop_floor(image, width, height):
    """transformers' center_crop ()"""
    left = (image.width - width) // 2
    top = (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def timm(image, size, pct, mode, filter, mean):
    """transforms_imagenet_eval () of timm/data/transforms_factory.py"""
    height, width = size
    box_h, box_w = math.floor(height / pct), math.floor(width / pct)
    if mode == 'squash':
        return crop_round(image.resize((box_w, box_h), filter), width, height)
    if mode == 'border':
        ratio = max(image.width / box_w, image.height / box_h)
        image = image.resize((round(image.width / ratio), round(image.height / ratio)), filter)
        fill = tuple(round(255 * value) for value in mean)
        canvas = Image.new('RGB', (max(width, image.width), max(height, image.height)), fill)
        canvas.paste(image, (max(0, (width - image.width) // 2),
                             max(0, (height - image.height) // 2)))
        return crop_round(canvas, width, height)
    if box_h == box_w:
        image = by_short_side(image, box_h, filter)
    else:
        filter = BILINEAR  # ResizeKeepRatio's own, it is not told another
        ratio = min(image.width / box_w, image.height / box_h)
        image = image.resize((round(image.width / ratio), round(image.height / ratio)), filter)
    return crop_round(image, width, height)


def detr_size(image, edge, longest):
    """get_size_with_aspect_ratio () of image_processing_detr.py"""
    width, height = image.size
    raw, size = None, edge
    low, high = float(min(image.size)), float(max(image.size))
    if high / low * size > longest:
        raw = longest * low / high
        size = int(round(raw))
    if low == size:
        return width, height
    if width < height:
        return size, int((raw if raw is not None else size) * height / width)
    return int((raw if raw is not None else size) * width / height), size


def detr(image, edge, longest, filter):
    return image.resize(detr_size(image, edge, longest), filter)


def detr_fit(image, width, height, filter):
    """get_image_size_for_max_height_width () of image_processing_detr.py"""
    scale = min(height / image.height, width / image.width)
    return image.resize((int(image.width * scale), int(image.height * scale)), filter)


def maskformer(image, edge, longest, multiple, filter):
    """get_maskformer_resize_output_image_size () of image_processing_maskformer.py and
    get_resize_output_image_size () of image_transforms.py; OneFormer with 1"""
    low, high = min(image.size), max(image.size)
    new_low, new_high = edge, int(edge * high / low)
    if new_high > longest:
        new_low, new_high = int(longest * new_low / new_high), longest
    new_low = math.ceil(new_low / multiple) * multiple
    new_high = math.ceil(new_high / multiple) * multiple
    is_tall = image.width <= image.height
    return image.resize((new_low, new_high) if is_tall else (new_high, new_low), filter)


def yolos(image, edge, longest, filter):
    width, height = detr_size(image, edge, longest)
    return image.resize((width - width % 16, height - height % 16), filter)


def glpn(image, divisor, filter):
    """image_processing_glpn.py"""
    return image.resize((image.width // divisor * divisor,
                         image.height // divisor * divisor), filter)


def dpt(image, edge, multiple, filter):
    """get_resize_output_image_size () of image_processing_dpt.py, aspect kept"""
    scale_h, scale_w = edge / image.height, edge / image.width
    scale = scale_w if abs(1 - scale_w) < abs(1 - scale_h) else scale_h
    return image.resize((round(scale * image.width / multiple) * multiple,
                         round(scale * image.height / multiple) * multiple), filter)


# ---- the cases ----

def timm_case(size, pct, filter, mode='center'):
    names = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming']
    mean = [0.485, 0.456, 0.406]
    config = {'architecture': 'resnet18', 'num_classes': 10, 'pretrained_cfg': {
        'input_size': [3, *size], 'interpolation': names[filter], 'crop_pct': pct,
        'crop_mode': mode, 'mean': mean, 'std': [0.229, 0.224, 0.225]}}
    return config, None, lambda image: timm(image, size, pct, mode, filter, mean)


def hugging_face(type, fields, reference):
    fields = dict(fields, image_processor_type=type + 'ImageProcessor')
    return {'architectures': [type + 'ForImageClassification']}, fields, reference


CASES = {
    'timm, crop_pct 0.875, bilinear': timm_case((224, 224), 0.875, BILINEAR),
    'timm, crop_pct 0.875, bicubic': timm_case((224, 224), 0.875, BICUBIC),
    'timm, crop_pct 0.9, bicubic': timm_case((224, 224), 0.9, BICUBIC),
    'timm, crop_pct 0.95, bicubic': timm_case((299, 299), 0.95, BICUBIC),
    'timm, crop_pct 1.0, bicubic': timm_case((384, 384), 1.0, BICUBIC),
    'timm, crop_pct 0.9, not square': timm_case((160, 288), 0.9, BICUBIC),
    'timm, squash, lanczos': timm_case((224, 224), 0.9, LANCZOS, 'squash'),
    'timm, border': timm_case((224, 224), 0.9, BICUBIC, 'border'),
    'ViT, 224 x 224': hugging_face(
        'ViT', {'size': 224, 'resample': BILINEAR},
        lambda image: image.resize((224, 224), BILINEAR)),
    'SegFormer, 512 x 512': hugging_face(
        'Segformer', {'size': {'height': 512, 'width': 512}, 'reduce_labels': True},
        lambda image: image.resize((512, 512), BILINEAR)),
    'DeiT, 256 x 256, crop 224': hugging_face(
        'DeiT', {'size': {'height': 256, 'width': 256}},
        lambda image: crop_floor(image.resize((256, 256), BICUBIC), 224, 224)),
    'CLIP, short side 224, crop': hugging_face(
        'CLIP', {'size': {'shortest_edge': 224}, 'crop_size': {'height': 224, 'width': 224}},
        lambda image: crop_floor(by_short_side(image, 224, BICUBIC), 224, 224)),
    'CLIP, use_square_size': hugging_face(
        'CLIP', {'size': {'shortest_edge': 256}, 'use_square_size': True},
        lambda image: crop_floor(image.resize((256, 256), BICUBIC), 224, 224)),
    'MobileNetV2, short side 256, crop 224': hugging_face(
        'MobileNetV2', {}, lambda image: crop_floor(by_short_side(image, 256, BILINEAR), 224, 224)),
    'MobileViT, short side 224, crop 256': hugging_face(
        'MobileViT', {}, lambda image: crop_floor(by_short_side(image, 224, BILINEAR), 256, 256)),
    'ConvNeXT, 224 of 256': hugging_face(
        'ConvNext', {'size': {'shortest_edge': 224}, 'crop_pct': 0.875, 'resample': BICUBIC},
        lambda image: crop_floor(by_short_side(image, 256, BICUBIC), 224, 224)),
    'ConvNeXT, 384 x 384': hugging_face(
        'ConvNext', {'size': 384}, lambda image: image.resize((384, 384), BILINEAR)),
    'LeViT, 224 of 256': hugging_face(
        'Levit', {}, lambda image: crop_floor(by_short_side(image, 256, BICUBIC), 224, 224)),
    'PoolFormer, 224 of 248': hugging_face(
        'PoolFormer', {}, lambda image: crop_floor(by_short_side(image, 248, BICUBIC), 224, 224)),
    'EfficientNet, nearest': hugging_face(
        'EfficientNet', {'size': {'height': 224, 'width': 224}},
        lambda image: image.resize((224, 224), NEAREST)),
    'DETR, 800 to 1333': hugging_face(
        'Detr', {}, lambda image: detr(image, 800, 1333, BILINEAR)),
    'DETR, 300 to 500': hugging_face(
        'Detr', {'size': 300, 'max_size': 500}, lambda image: detr(image, 300, 500, BILINEAR)),
    'DETR, as large as 480 x 333 holds': hugging_face(
        'Detr', {'size': {'max_height': 333, 'max_width': 480}},
        lambda image: detr_fit(image, 480, 333, BILINEAR)),
    'OneFormer, 300 to 500': hugging_face(
        'OneFormer', {'size': {'shortest_edge': 300, 'longest_edge': 500}},
        lambda image: maskformer(image, 300, 500, 1, BILINEAR)),
    'MaskFormer, 300 to 500, multiples of 32': hugging_face(
        'MaskFormer', {'size': {'shortest_edge': 300, 'longest_edge': 500}},
        lambda image: maskformer(image, 300, 500, 32, BILINEAR)),
    'YOLOS, 512 to 864': hugging_face(
        'Yolos', {'size': {'shortest_edge': 512, 'longest_edge': 864}},
        lambda image: yolos(image, 512, 864, BILINEAR)),
    'GLPN, multiples of 32': hugging_face(
        'GLPN', {'size_divisor': 32, 'do_rescale': True},
        lambda image: glpn(image, 32, BILINEAR)),
    'DPT, 384 x 384': hugging_face(
        'DPT', {}, lambda image: image.resize((384, 384), BICUBIC)),
    'DPT, 384 x 384, multiples of 14': hugging_face(
        'DPT', {'ensure_multiple_of': 14},
        lambda image: image.resize((378, 378), BICUBIC)),
    'Depth Anything, 518, multiples of 14': hugging_face(
        'DPT', {'size': {'height': 518, 'width': 518}, 'keep_aspect_ratio': True,
                'ensure_multiple_of': 14},
        lambda image: dpt(image, 518, 14, BICUBIC)),
    'box': hugging_face(
        'ViT', {'size': {'height': 144, 'width': 199}, 'resample': BOX},
        lambda image: image.resize((199, 144), BOX)),
    'Hamming': hugging_face(
        'ViT', {'size': {'height': 144, 'width': 199}, 'resample': HAMMING},
        lambda image: image.resize((199, 144), HAMMING)),
    'twice as large, bilinear': hugging_face(
        'ViT', {'size': {'height': 1000, 'width': 1100}},
        lambda image: image.resize((1100, 1000), BILINEAR)),
}


def write_model(path):
    """A model of a free input, so that the configuration decides."""
    nodes = [helper.make_node('GlobalAveragePool', ['pixel_values'], ['mean']),
             helper.make_node('Flatten', ['mean'], ['logits'])]
    graph = helper.make_graph(
        nodes, 'mean',
        [helper.make_tensor_value_info('pixel_values', TensorProto.FLOAT,
                                       [1, 3, 'height', 'width'])],
        [helper.make_tensor_value_info('logits', TensorProto.FLOAT, [1, 3])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
    onnx.save(model, path)


def load_images(folder):
    images = [Image.open(os.path.join(folder, name)).convert('RGB') for name in IMAGES]
    for name, width, height in CUTS:
        image = images[IMAGES.index(name)]
        left, top = (image.width - width) // 2, (image.height - height) // 2
        images.append(image.crop((left, top, left + width, top + height)))
    return images


def write_frames(images, folder):
    arguments = []
    for i, image in enumerate(images):
        path = os.path.join(folder, f'{i}.rgb')
        with open(path, 'wb') as file:
            file.write(image.tobytes())
        arguments += [path, str(image.width), str(image.height)]
    return arguments


def differences(path, image):
    """Of one frame, in 1/255; the sizes must be the same."""
    name = f'{path}.{image.width}x{image.height}.input'
    if not os.path.exists(name):
        folder = os.path.dirname(path)
        found = [x for x in os.listdir(folder) if x.startswith(os.path.basename(path) + '.')]
        raise SystemExit(f'expected an input of {image.width}x{image.height}, came {found}')
    values = numpy.fromfile(name, numpy.float32)
    os.remove(name)
    return numpy.abs(values - numpy.asarray(image, numpy.float32).ravel())


def measure(program, case, images, frames, folder):
    config, preprocessor, reference = case
    for name, content in (('config', config), ('preprocessor_config', preprocessor)):
        path = os.path.join(folder, name + '.json')
        if os.path.exists(path):
            os.remove(path)
        if content is not None:
            with open(path, 'w', encoding='utf-8') as file:
                json.dump(content, file)
    subprocess.run([program, folder, *frames], check=True)
    off = [differences(frames[3 * i], reference(image)) for i, image in enumerate(images)]
    worst = max(float(numpy.percentile(x, 99.9)) for x in off)
    every = numpy.concatenate(off)
    return worst, float(every.max()), float((every > 0.5).mean())


def table(rows):
    lines = ['| Preprocessing | 99.9th percentile | Worst | Values that differ |',
             '| --- | ---: | ---: | ---: |']
    for name, (percentile, worst, share) in rows.items():
        lines.append(f'| {name} | {percentile:.2f} | {worst:.2f} | {share:.4%} |')
    return '\n'.join(lines) + '\n'


BEGIN, END = '<!-- tests/test-pillow.py -->\n', '<!-- end -->\n'


def check_docs(path, text, write):
    with open(path, encoding='utf-8') as file:
        page = file.read()
    head, rest = page.split(BEGIN)
    shown, tail = rest.split(END)
    if write:
        with open(path, 'w', encoding='utf-8') as file:
            file.write(head + BEGIN + text + END + tail)
        return True
    # figures differ a little from device to device; cases do not
    names = [[line.split('|')[1] for line in x.splitlines()] for x in (shown, text)]
    if names[0] == names[1]:
        return True
    print(f'{path}: the table has other cases; run this with --write')
    return False


def main():
    program, shared = sys.argv[1:3]
    folder = os.path.join(shared, 'material', 'images')
    if not os.path.isdir(folder):
        print(f'skipped: {folder} is not there')
        return 77
    images = load_images(folder)
    rows, failed = {}, 0
    with tempfile.TemporaryDirectory() as scratch:
        write_model(os.path.join(scratch, 'model.onnx'))
        frames = write_frames(images, scratch)
        for name, case in CASES.items():
            try:
                rows[name] = measure(program, case, images, frames, scratch)
            except SystemExit as error:
                print(f'{name}: {error}')
                failed += 1
                continue
            print(f'{name}: 99.9 % within {rows[name][0]:.3f}/255, worst '
                  f'{rows[name][1]:.3f}/255, {rows[name][2]:.4%} of the values differ')
            if not rows[name][1] <= LIMIT:
                print(f'{name}: expected the same numbers of 8 bits')
                failed += 1
    if len(sys.argv) > 3 and not check_docs(sys.argv[3], table(rows), '--write' in sys.argv):
        failed += 1
    return 1 if failed else 0


sys.exit(main())
