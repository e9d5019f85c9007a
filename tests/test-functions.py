#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions of a file, and foreign operators, against numpy.

Usage: /usr/bin/python3 test-functions.py FOVEA

Models are made by the onnx package and run by `fovea check`, on the C references
and on the device. Functions are nested, hand attributes down and have branches;
operators of com.microsoft are those that ONNX Runtime's optimizers leave.
"""
import math
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
try:
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as error:
    print(f'{error}: skipped')
    sys.exit(SKIPPED)

random = numpy.random.default_rng(0)
erf = numpy.vectorize(math.erf)


def floats(*shape):
    return random.standard_normal(shape).astype(numpy.float32)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + numpy.tanh(math.sqrt(2 / math.pi)
                                     * (x + 0.044715 * x ** 3)))


def layer_norm(x, scale, bias=0, epsilon=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred ** 2).mean(-1, keepdims=True)
    return centred / numpy.sqrt(variance + epsilon) * scale + bias


def convolve(x, weights, bias):
    """3x3, padded by one."""
    padded = numpy.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = numpy.zeros((x.shape[0], weights.shape[0]) + x.shape[2:])
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            y[:, :, i, j] = numpy.einsum(
                'nchw,ochw->no', padded[:, :, i:i + 3, j:j + 3], weights)
    return y + bias.reshape(1, -1, 1, 1)


def write(folder, name, nodes, inputs, weights, outputs, functions=(),
          domain='com.microsoft', opset=17):
    """A folder as `fovea check` takes it. @inputs, @weights, @outputs: by name."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, name,
        [info(n, TensorProto.FLOAT, a.shape) for n, a in inputs.items()],
        [info(n, TensorProto.FLOAT, None) for n in outputs],
        [numpy_helper.from_array(a, n) for n, a in weights.items()])
    model = helper.make_model(
        graph, functions=list(functions),
        opset_imports=[helper.make_opsetid('', opset),
                       helper.make_opsetid(domain, 1)])
    data = os.path.join(folder, name, 'test_data_set_0')
    os.makedirs(data)
    onnx.save(model, os.path.join(folder, name, 'model.onnx'))
    for kind, arrays in (('input', inputs), ('output', outputs)):
        for i, (n, a) in enumerate(arrays.items()):
            with open(os.path.join(data, f'{kind}_{i}.pb'), 'wb') as file:
                array = numpy.asarray(a, numpy.float32)
                file.write(numpy_helper.from_array(array, n)
                           .SerializeToString())


def write_foreign(folder):
    """Each operator of com.microsoft that we know, in each of its forms."""
    x, s, scale, bias, more = (floats(2, 5, 8), floats(2, 5, 8), floats(8),
                               floats(8), floats(8))
    a, b = floats(2, 3, 5, 8), floats(2, 3, 8, 6)
    at, bt = a.swapaxes(2, 3).copy(), b.swapaxes(2, 3).copy()
    image, w, wb, z = (floats(1, 3, 7, 6), floats(4, 3, 3, 3), floats(4),
                       floats(1, 4, 7, 6))
    c = convolve(image, w, wb)
    conv = {'kernel_shape': [3, 3], 'pads': [1, 1, 1, 1], 'strides': [1, 1],
            'dilations': [1, 1], 'group': 1}
    no_batch = {'transBatchA': 0, 'transBatchB': 0}
    cases = [
        # operator, inputs, how many of them at run time, outputs, attributes
        ('Gelu', [x], 1, [gelu(x)], {}),
        ('BiasGelu', [x, bias], 1, [gelu(x + bias)], {}),
        ('FastGelu', [x], 1, [gelu_tanh(x)], {}),
        ('FastGelu', [x, bias], 1, [gelu_tanh(x + bias)], {}),
        ('QuickGelu', [x], 1, [x * sigmoid(1.702 * x)], {}),
        ('QuickGelu', [x], 1, [x * sigmoid(1.3 * x)], {'alpha': 1.3}),
        ('SkipLayerNormalization', [x, s, scale, bias], 2,
         [layer_norm(x + s, scale, bias)], {'epsilon': 1e-5}),
        ('SkipLayerNormalization', [x, s, scale], 2,
         [layer_norm(x + s, scale, 0, 1e-12)], {}),
        ('SkipLayerNormalization', [x, s, scale, bias, more], 2,
         [layer_norm(x + s + more, scale, bias), None, None, x + s + more],
         {'epsilon': 1e-5}),
        ('FusedMatMul', [a, b], 2, [a @ b / 2], {'alpha': 0.5}),
        ('FusedMatMul', [a, bt], 2, [a @ b / 2],
         {'alpha': 0.5, 'transA': 0, 'transB': 1, **no_batch}),
        ('FusedMatMul', [at, b], 2, [a @ b], {'transA': 1}),
        ('FusedMatMul', [at, bt], 2, [a @ b], {'transA': 1, 'transB': 1}),
        ('FusedConv', [image, w, wb], 1, [numpy.maximum(c, 0)],
         {'activation': 'Relu', **conv}),
        ('FusedConv', [image, w, wb, z], 1, [numpy.maximum(c + z, 0)],
         {'activation': 'Relu', **conv}),
        ('FusedConv', [image, w, wb, z], 1, [c + z], conv),
        ('FusedConv', [image, w, wb], 1, [sigmoid(c)],
         {'activation': 'Sigmoid', **conv}),
        ('FusedConv', [image, w, wb], 1, [numpy.tanh(c)],
         {'activation': 'Tanh', **conv}),
        ('FusedConv', [image, w, wb], 1, [numpy.where(c < 0, c / 8, c)],
         {'activation': 'LeakyRelu', 'activation_params': [0.125], **conv}),
        ('FusedConv', [image, w, wb], 1, [numpy.clip(c, -0.5, 1.5)],
         {'activation': 'Clip', 'activation_params': [-0.5, 1.5], **conv}),
    ]
    for i, (op, arrays, n, outputs, attributes) in enumerate(cases):
        names = [f'x{k}' for k in range(len(arrays))]
        results = {f'y{k}': y for k, y in enumerate(outputs) if y is not None}
        node = helper.make_node(
            op, names, [f'y{k}' if y is not None else ''
                        for k, y in enumerate(outputs)],
            domain='com.microsoft', **attributes)
        write(folder, f'{op}-{i}', [node], dict(zip(names[:n], arrays)),
              dict(zip(names[n:], arrays[n:])), results)
    node = helper.make_node('LayerNormalization', ['x', 'scale', 'bias'], ['y'])
    write(folder, 'LayerNormalization-of-opset-12', [node], {'x': x},
          {'scale': scale, 'bias': bias}, {'y': layer_norm(x, scale, bias)},
          opset=12)


def refer(node, name, kind, to):
    attribute = node.attribute.add()
    attribute.name, attribute.type, attribute.ref_attr_name = name, kind, to


def write_functions(folder):
    """A block of a transformer as functions of functions."""
    opsets = [helper.make_opsetid('', 17), helper.make_opsetid('net', 1)]
    norm = helper.make_node('LayerNormalization', ['x', 'g', 'b'], ['y'], axis=-1)
    refer(norm, 'epsilon', onnx.AttributeProto.FLOAT, 'epsilon')
    linear = [helper.make_node('MatMul', ['x', 'w'], ['h']),
              helper.make_node('Add', ['h', 'b'], ['y'])]
    inner = helper.make_node('Norm', ['x', 'g', 'b'], ['h'], domain='net')
    refer(inner, 'epsilon', onnx.AttributeProto.FLOAT, 'eps')
    sum_ = helper.make_graph([helper.make_node('Add', ['x', 'u'], ['h'])], 'sum',
                             [], [helper.make_tensor_value_info(
                                 'h', TensorProto.FLOAT, None)])
    alone = helper.make_graph([helper.make_node('Identity', ['u'], ['h'])],
                              'alone', [], [helper.make_tensor_value_info(
                                  'h', TensorProto.FLOAT, None)])
    block = [inner,
             helper.make_node('Linear', ['h', 'w1', 'b1'], ['t'], domain='net'),
             helper.make_node('Relu', ['t'], ['r']),
             helper.make_node('Linear', ['r', 'w2', 'b2'], ['u'], domain='net'),
             helper.make_node('If', ['skip'], ['y'], then_branch=sum_,
                              else_branch=alone)]
    functions = [
        helper.make_function('net', 'Block', ['x', 'g', 'b', 'w1', 'b1', 'w2',
                                              'b2', 'skip'], ['y'], block,
                             opsets, ['eps']),
        helper.make_function('net', 'Norm', ['x', 'g', 'b'], ['y'], [norm],
                             opsets, ['epsilon']),
        helper.make_function('net', 'Linear', ['x', 'w', 'b'], ['y'], linear,
                             opsets)]
    x = floats(2, 5, 8)
    weights = {'g': floats(8), 'b': floats(8), 'w1': floats(8, 16),
               'b1': floats(16), 'w2': floats(16, 8), 'b2': floats(8),
               'yes': numpy.array(True), 'no': numpy.array(False)}
    names = ['g', 'b', 'w1', 'b1', 'w2', 'b2']
    nodes = [helper.make_node('Block', ['x'] + names + ['yes'], ['h'],
                              name='first', domain='net', eps=0.25),
             helper.make_node('Block', ['h'] + names + ['no'], ['y'],
                              name='second', domain='net', eps=1e-5)]

    def run(v, epsilon, skip):
        w = weights
        h = layer_norm(v, w['g'], w['b'], epsilon)
        u = numpy.maximum(h @ w['w1'] + w['b1'], 0) @ w['w2'] + w['b2']
        return v + u if skip else u

    write(folder, 'functions', nodes, {'x': x}, weights,
          {'y': run(run(x, 0.25, True), 1e-5, False)}, functions, 'net')


def main():
    fovea = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        write_foreign(folder)
        if hasattr(helper, 'make_function'):
            write_functions(folder)
        folders = sorted(os.path.join(folder, name)
                         for name in os.listdir(folder))
        status = 0
        for device in (['--device', 'reference'], ['--precision', 'f32']):
            status |= subprocess.run([fovea, 'check'] + device
                                     + folders).returncode
    return status


sys.exit(main())
