"""The request path in eager PyTorch, for side-by-side timings with wno-infer on the same checkpoint.

    python torch_request.py CHECKPOINT DATA [--threads 1] [--warmup 20] [--repeat 200] [--device cpu] [--answer OUT.npy]

Variants v1 and v2, dense and spiking (T = 1, sites `activations`). Transforms as grouped strided convolutions with filters
and gather indices uploaded on every call, kernels as einsum: one operation, one launch. Needs torch, numpy, safetensors.
Prints the p50 and p95 of the latency in ms; --answer keeps the answer to the first field, to compare it with wno-infer's.
"""
import argparse, json, time
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open

DEC_LO = {
    "haar": [0.7071067811865476, 0.7071067811865476],
    "db2": [-0.12940952255126037, 0.2241438680420134, 0.8365163037378079, 0.48296291314453416],
    "db4": [-0.010597401785069032, 0.0328830116668852, 0.030841381835560764, -0.18703481171909309,
            -0.027983769416859854, 0.6308807679298589, 0.7148465705529157, 0.2303778133088965],
    "db6": [-0.0010773010853084796, 0.004777257510945511, 0.0005538422011614961, -0.03158203931748603,
            0.027522865530305727, 0.09750160558732304, -0.12976686756726194, -0.22626469396543983,
            0.31525035170919763, 0.7511339080210954, 0.49462389039845306, 0.11154074335010947],
}


def filters(name):
    lo = np.array(DEC_LO[name])
    hi = lo[::-1] * np.where(np.arange(len(lo)) % 2 == 0, -1, 1)
    return lo, hi


def upload(taps, axis, device):
    shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
    return torch.tensor(np.ascontiguousarray(taps), dtype=torch.float32).to(device).reshape(shape)


def analyse_axis(x, name, axis):
    lo, hi = filters(name)
    n, taps, channels = x.shape[axis], len(lo), x.shape[1]
    m = (n + taps - 1) // 2
    i = np.arange(2 - taps, 2 * m) % (2 * n)
    index = torch.tensor(np.where(i < n, i, 2 * n - 1 - i)).to(x.device)
    x = x.index_select(axis, index)
    w = torch.cat([upload(lo[::-1], axis, x.device), upload(hi[::-1], axis, x.device)] * channels)
    y = F.conv2d(x, w, stride=(2, 1) if axis == 2 else (1, 2), groups=channels)
    y = y.reshape(y.shape[0], channels, 2, *y.shape[2:])
    return y[:, :, 0], y[:, :, 1]


def synthesise_axis(a, d, name, axis):
    lo, hi = filters(name)
    pad, channels, out = len(lo) - 2, a.shape[1], 0
    for band, taps in ((a, lo[::-1]), (d, hi[::-1])):
        w = torch.cat([upload(taps, axis, a.device)] * channels)
        out = out + F.conv_transpose2d(band, w, stride=(2, 1) if axis == 2 else (1, 2),
                                       padding=(pad, 0) if axis == 2 else (0, pad), groups=channels)
    return out


def kernel(v, p, prefix, c):
    name, details, a = c["wavelet"], [], v
    for _ in range(c["level"]):
        low, high = analyse_axis(a, name, 3)
        (a, lh), (hl, hh) = analyse_axis(low, name, 2), analyse_axis(high, name, 2)
        details.append([lh, hl, hh])
    mix = lambda x, k: torch.einsum("bixy,ioxy->boxy", x, p[f"{prefix}weights{k}"])
    a = mix(a, 1)
    details[-1] = [mix(d, k + 2) for k, d in enumerate(details[-1])]
    if c["variant"] == "v2":
        details[:-1] = [[torch.zeros_like(d) for d in level] for level in details[:-1]]
    for lh, hl, hh in reversed(details):
        a = a[..., :lh.shape[-2], :lh.shape[-1]]
        a = synthesise_axis(synthesise_axis(a, lh, name, 2), synthesise_axis(hl, hh, name, 2), name, 3)
    return a


ACT = {"gelu": F.gelu, "mish": F.mish, "identity": lambda z: z, "relu": F.relu}


def fire(z, p, i, c, shape):
    beta, th = p[f"vsn.{i}.beta"].clamp(0, 1).reshape(shape), p[f"vsn.{i}.threshold"].reshape(shape)
    m = beta * torch.zeros_like(z) + z
    s = (m - th > 0).to(z.dtype)
    m = m * (1 - s)
    return ACT[c.get("phi", "identity")](z * s)


def forward(x, p, c):
    names = (lambda i: (f"conv{i}.", f"w{i}.")) if c["variant"] == "v1" else (lambda i: (f"conv.{i}.", f"w.{i}."))
    b, h, w, _ = x.shape
    gx = torch.tensor(np.linspace(0, c["grid_range"][0], h), dtype=torch.float32).to(x.device).reshape(1, h, 1, 1).expand(b, h, w, 1)
    gy = torch.tensor(np.linspace(0, c["grid_range"][1], w), dtype=torch.float32).to(x.device).reshape(1, 1, w, 1).expand(b, h, w, 1)
    v = F.linear(torch.cat((x, gx, gy), -1), p["fc0.weight"], p["fc0.bias"]).permute(0, 3, 1, 2)
    v = F.pad(v, [0, c["padding"], 0, c["padding"]])
    for i in range(c["layers"]):
        k, s = names(i)
        v = kernel(v, p, k, c) + F.conv2d(v, p[s + "weight"], p[s + "bias"])
        if i + 1 < c["layers"]:
            v = fire(v, p, i, c, (1, -1, 1, 1)) if c.get("spiking") else ACT[c["act"]](v)
    z = F.linear(v[..., :h, :w].permute(0, 2, 3, 1), p["fc1.weight"], p["fc1.bias"])
    z = fire(z, p, c["layers"] - 1, c, (-1,)) if c.get("spiking") else ACT[c["head_act"]](z)
    return F.linear(z, p["fc2.weight"], p["fc2.bias"])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("checkpoint"); a.add_argument("data"); a.add_argument("--threads", type=int, default=1)
    a.add_argument("--warmup", type=int, default=20); a.add_argument("--repeat", type=int, default=200)
    a.add_argument("--device", default="cpu"); a.add_argument("--answer")
    a = a.parse_args()
    torch.set_num_threads(a.threads); torch.set_num_interop_threads(1)
    with safe_open(a.checkpoint, "np") as f:
        t, c = {k: f.get_tensor(k) for k in f.keys()}, json.loads(f.metadata()["config"])
    assert c["variant"] in ("v1", "v2") and c.get("steps", 1) == 1 and c.get("sites", "activations") == "activations"
    p = {k[6:]: torch.tensor(v.astype(np.float32)).to(a.device) for k, v in t.items() if k.startswith("param.")}
    xm, xs, ym, ys = (t["norm." + k].astype(np.float32) for k in ("x_mean", "x_std", "y_mean", "y_std"))
    if a.data.endswith(".npz"):
        fields = np.load(a.data)["coeff"]
    else:
        with safe_open(a.data, "np") as f:
            fields = f.get_tensor("coeff")
    fields = fields.astype(np.float32)

    def answer(field):
        x = torch.from_numpy((field - xm) / (xs + np.float32(1e-5)))[None, :, :, None].to(a.device)
        y = forward(x, p, c)[0, :, :, 0].cpu().numpy()
        return y * (ys + np.float32(1e-5)) + ym

    with torch.no_grad():
        if a.answer:
            np.save(a.answer, answer(fields[0]))
        for i in range(a.warmup):
            answer(fields[i % len(fields)])
        times = []
        for i in range(a.repeat):
            t0 = time.perf_counter_ns(); answer(fields[i % len(fields)]); times.append(time.perf_counter_ns() - t0)
    times.sort()
    rank = lambda q: times[max(int(np.ceil(q * len(times))) - 1, 0)] / 1e6
    print(f"torch {torch.__version__}, {a.device}, {a.threads} threads: {a.repeat} requests, p50 {rank(.5):.3f} ms, p95 {rank(.95):.3f} ms")


if __name__ == "__main__":
    main()
