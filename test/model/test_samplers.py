import pytest
import torch

from tiny_nvs_ros.model.samplers import SHORTCUT_STEPS, NoiseSchedule, sample, sample_flow


def predict_noise(z, t):
    """In place of a network: near the best guess for unit Gaussian data, which does not blow up."""
    sigma = (1 - NoiseSchedule().alpha_bar[t]).sqrt().float().view(-1, 1, 1, 1)
    return sigma * (0.9 * z + 0.1 * torch.sin(3 * z))


def draw(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator), generator


SETTINGS = {
    "beta_schedule": "linear",
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "clip_sample": False,
    "timestep_spacing": "trailing",
}


def diffusers_sample(scheduler, noise, steps, **step_arguments):
    scheduler.alphas_cumprod = NoiseSchedule().alpha_bar  # theirs is float32: see the test of it
    scheduler.set_timesteps(steps)
    z = noise
    for t in scheduler.timesteps:
        z = scheduler.step(predict_noise(z, t.expand(len(z))), t, z, **step_arguments).prev_sample
    return z


@pytest.mark.parametrize("steps", [1, 2, 50, 1000])
def test_ddim_agrees_with_diffusers(steps):
    diffusers = pytest.importorskip("diffusers")
    noise, _ = draw((3, 1, 4, 4), seed=0)
    theirs = diffusers_sample(diffusers.DDIMScheduler(**SETTINGS), noise, steps)
    ours = sample(predict_noise, noise, NoiseSchedule(), steps, "ddim")
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 50, 1000])
def test_ddpm_agrees_with_diffusers(steps):
    diffusers = pytest.importorskip("diffusers")
    noise, generator = draw((3, 1, 4, 4), seed=0)
    ours = sample(predict_noise, noise, NoiseSchedule(), steps, "ddpm", generator)
    noise, generator = draw((3, 1, 4, 4), seed=0)
    scheduler = diffusers.DDPMScheduler(**SETTINGS, variance_type="fixed_small")
    theirs = diffusers_sample(scheduler, noise, steps, generator=generator)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_the_schedule_agrees_with_diffusers():
    diffusers = pytest.importorskip("diffusers")
    theirs = diffusers.DDPMScheduler(**SETTINGS).alphas_cumprod
    torch.testing.assert_close(NoiseSchedule().alpha_bar.float(), theirs, rtol=1e-5, atol=1e-6)


def test_add_noise_agrees_with_diffusers():
    diffusers = pytest.importorskip("diffusers")
    z0, eps = draw((4, 1, 4, 4), seed=1)[0], draw((4, 1, 4, 4), seed=2)[0]
    t = torch.tensor([0, 10, 500, 999])
    theirs = diffusers.DDPMScheduler(**SETTINGS).add_noise(z0, eps, t)
    torch.testing.assert_close(NoiseSchedule().add_noise(z0, eps, t), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", range(1, 60))
def test_spaced_timesteps_fall_from_the_last_one(steps):
    timesteps = NoiseSchedule().spaced(steps)
    assert len(timesteps) == steps and timesteps[0] == 999 and timesteps[-1] >= 0
    assert timesteps == sorted(set(timesteps), reverse=True)


def test_a_perfect_denoiser_recovers_the_clean_latent():
    schedule = NoiseSchedule()
    z0, noise = torch.full((1, 1, 4, 4), 0.7), draw((1, 1, 4, 4), seed=3)[0]

    def perfect(z, t):
        alpha_bar = schedule.alpha_bar[t].float().view(-1, 1, 1, 1)
        return (z - alpha_bar.sqrt() * z0) / (1 - alpha_bar).sqrt()

    torch.testing.assert_close(sample(perfect, noise, schedule, 7), z0, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_a_number_of_steps_out_of_range_is_refused(steps):
    with pytest.raises(ValueError, match="steps"):
        NoiseSchedule().spaced(steps)


def test_an_unknown_sampler_is_refused_by_name():
    with pytest.raises(ValueError, match="euler"):
        sample(predict_noise, torch.zeros(1, 1, 4, 4), NoiseSchedule(), 2, "euler")


MEAN, DEVIATION = 0.7, 0.3


def gaussian_velocity(z, t, step_size):
    """E[eps - z_0 | z_t] of Gaussian data, which Euler's sampler asks for at one time."""
    assert step_size == 0
    variance = ((1 - t) * DEVIATION) ** 2 + t**2
    gain = (t - (1 - t) * DEVIATION**2) / variance
    return gain * (z - (1 - t) * MEAN) - MEAN


def test_flow_to_a_gaussian_scales_and_shifts_the_noise():
    noise, _ = draw((64, 1), seed=0)
    z = sample_flow(gaussian_velocity, noise, 400, "euler")
    torch.testing.assert_close(z, MEAN + DEVIATION * noise, rtol=0, atol=1e-2)


def test_one_step_of_a_flow_gives_the_mean():
    z = sample_flow(gaussian_velocity, draw((64, 1), seed=0)[0], 1, "euler")
    torch.testing.assert_close(z, torch.full_like(z, MEAN))


@pytest.mark.parametrize("steps", SHORTCUT_STEPS)
def test_a_shortcut_follows_the_mean_velocity(steps):
    """The flow to the Gaussian: z is MEAN (1 - t) plus noise scaled by the deviation at t."""

    def std(t):
        return (((1 - t) * DEVIATION) ** 2 + t**2) ** 0.5

    def mean_velocity(z, t, step_size):
        assert step_size == 1 / steps
        earlier = t - step_size
        ahead = (1 - earlier) * MEAN + std(earlier) / std(t) * (z - (1 - t) * MEAN)
        return (z - ahead) / (t - earlier)

    noise, _ = draw((64, 1), seed=0)
    z = sample_flow(mean_velocity, noise, steps, "shortcut")
    torch.testing.assert_close(z, MEAN + DEVIATION * noise)


@pytest.mark.parametrize(
    "steps, sampler, reason",
    [(0, "euler", "steps"), (2, "ddim", "ddim"), (3, "shortcut", "takes 1, 2, 4, 8,")],
)
def test_a_flow_names_a_bad_argument(steps, sampler, reason):
    with pytest.raises(ValueError, match=reason):
        sample_flow(gaussian_velocity, torch.zeros(1, 1), steps, sampler)
