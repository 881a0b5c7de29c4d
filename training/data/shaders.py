"""GLSL of the renderer: Phong's shading, and the reduction of its samples to pixels."""

from training.data.scene import MAX_LIGHTS

VERTEX = """
#version 330
uniform mat4 clip_from_object;
in vec3 position; in vec3 normal; in vec3 color; in vec2 uv;
out vec3 p; out vec3 n; out vec3 c; out vec2 t;
void main() {
    p = position; n = normal; c = color; t = uv;
    gl_Position = clip_from_object * vec4(position, 1.0);
}
"""

FRAGMENT = f"""
#version 330
uniform vec3 eye; uniform vec3 forward;
uniform int lights;
uniform vec3 light_directions[{MAX_LIGHTS}];
uniform vec3 light_colors[{MAX_LIGHTS}];
uniform vec3 sky; uniform vec3 ground;
uniform vec3 contact;  // lowest z, 1 / height of the darkening, strength
uniform vec2 gloss;  // strength, power
uniform bool textured; uniform sampler2D image;
in vec3 p; in vec3 n; in vec3 c; in vec2 t;
layout(location = 0) out vec4 rgba;
layout(location = 1) out float depth;
void main() {{
    vec3 base = c;
    if (textured) {{
        vec4 texel = texture(image, t);
        if (texel.a < 0.5) discard;
        base *= texel.rgb;
    }}
    vec3 to_eye = normalize(eye - p);
    vec3 normal = normalize(n);
    if (!gl_FrontFacing) normal = -normal;
    vec3 light = mix(ground, sky, 0.5 + 0.5 * normal.z);
    light *= 1.0 - contact.z * exp(-(p.z - contact.x) * contact.y) * (0.6 - 0.4 * normal.z);
    vec3 shine = vec3(0.0);
    for (int i = 0; i < lights; ++i) {{
        float facing = dot(normal, light_directions[i]);
        if (facing > 0.0) {{
            light += light_colors[i] * facing;
            float mirrored = dot(2.0 * facing * normal - light_directions[i], to_eye);
            if (mirrored > 0.0) shine += light_colors[i] * pow(mirrored, gloss.y);
        }}
    }}
    rgba = vec4(base * light + gloss.x * shine, 1.0);
    depth = dot(p - eye, forward);
}}
"""

# A triangle that covers the framebuffer.
RESOLVE_VERTEX = """
#version 330
void main() {
    gl_Position = vec4(4.0 * (gl_VertexID & 1) - 1.0, 2.0 * (gl_VertexID & 2) - 1.0, 0.0, 1.0);
}
"""

RESOLVE_FRAGMENT = """
#version 330
uniform int supersample; uniform sampler2D colors; uniform sampler2D depths;
layout(location = 0) out vec4 rgba;
layout(location = 1) out float depth;
void main() {
    ivec2 corner = ivec2(gl_FragCoord.xy) * supersample;
    vec4 sum = vec4(0.0);
    float distances = 0.0;
    for (int y = 0; y < supersample; ++y)
        for (int x = 0; x < supersample; ++x) {
            vec4 texel = texelFetch(colors, corner + ivec2(x, y), 0);
            sum += vec4(texel.rgb * texel.a, texel.a);
            distances += texel.a * texelFetch(depths, corner + ivec2(x, y), 0).r;
        }
    float count = max(sum.a, 1.0);
    // White where nothing is drawn, for readers that drop alpha.
    vec3 color = sum.a > 0.0 ? sum.rgb / count : vec3(1.0);
    rgba = vec4(color, sum.a / float(supersample * supersample));
    depth = distances / count;
}
"""
